package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a text's tokens become one vector, as the {@code modules.json} of a sentence-transformers
 * directory says (Reimers and Gurevych, arXiv:1908.10084). A directory without one is pooled as
 * most are: the mean of the tokens, of length 1.
 *
 * @param modes what is taken of the tokens; of several the results stand side by side
 * @param normalized whether the vector is made to have length 1
 * @param maxLength the most tokens of a text, {@link Integer#MAX_VALUE} if the directory says none
 */
record SentencePooling(List<Mode> modes, boolean normalized, int maxLength) {
  /** What is taken of the tokens that are none of padding. */
  enum Mode {
    CLS("pooling_mode_cls_token"),
    MAX("pooling_mode_max_tokens"),
    MEAN("pooling_mode_mean_tokens"),
    /** The sum over the square root of their number. */
    MEAN_SQUARE_ROOT("pooling_mode_mean_sqrt_len_tokens"),
    /** The mean, weighted by the position counted from 1. */
    WEIGHTED_MEAN("pooling_mode_weightedmean_tokens"),
    LAST("pooling_mode_lasttoken");

    private final String key;

    Mode(String key) {
      this.key = key;
    }
  }

  private static final double EPSILON = 1e-12;

  SentencePooling {
    modes = List.copyOf(modes);
  }

  /** What the directory says. */
  static SentencePooling read(Path directory) throws IOException {
    int maxLength = Integer.MAX_VALUE;
    Path settings = directory.resolve("sentence_bert_config.json");
    if (Files.exists(settings)) {
      ModelConfig config = new ModelConfig(settings, Json.readObject(settings));
      maxLength = config.extent("max_seq_length", maxLength);
    }
    Path modules = directory.resolve("modules.json");
    if (!Files.exists(modules)) {
      return new SentencePooling(List.of(Mode.MEAN), true, maxLength);
    }
    List<Mode> modes = new ArrayList<>();
    boolean normalized = false;
    for (ModelConfig module : modules(modules)) {
      String type = module.text("type", "");
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "Transformer" -> {
          if (!module.text("path", "").isEmpty()) {
            throw module.wrong("path", "empty: the Transformer is in the directory itself");
          }
        }
        case "Pooling" -> {
          Path file = directory.resolve(module.text("path", "")).resolve("config.json");
          modes.addAll(modes(new ModelConfig(file, Json.readObject(file))));
        }
        case "Normalize" -> normalized = true;
        default -> throw module.wrong("type", "Transformer, Pooling or Normalize");
      }
    }
    if (modes.isEmpty()) {
      throw new CheckpointException(
          modules, "has no Pooling; give a directory as sentence-transformers saves it");
    }
    return new SentencePooling(modes, normalized, maxLength);
  }

  /** The modules in the order of their indices. */
  private static List<ModelConfig> modules(Path file) throws IOException {
    List<ModelConfig> modules = new ArrayList<>();
    for (Object module : Json.readList(file)) {
      Map<String, @Nullable Object> values = Json.asObject(module);
      if (values == null) {
        throw new CheckpointException(
            file, "holds " + Json.describe(module) + " where a module's object must be");
      }
      modules.add(new ModelConfig(file, values));
    }
    Map<ModelConfig, Integer> places = new LinkedHashMap<>();
    for (ModelConfig module : modules) {
      places.put(module, module.count("idx", places.size()));
    }
    modules.sort(Comparator.comparingInt(module -> places.getOrDefault(module, 0)));
    return modules;
  }

  private static List<Mode> modes(ModelConfig config) throws CheckpointException {
    List<Mode> modes = new ArrayList<>();
    for (Mode mode : Mode.values()) {
      // Without a word about it, sentence-transformers takes the mean.
      if (config.flag(mode.key, mode == Mode.MEAN)) {
        modes.add(mode);
      }
    }
    if (modes.isEmpty()) {
      throw config.wrong(Mode.MEAN.key, "true, or another pooling_mode");
    }
    return modes;
  }

  /**
   * The vector of one text.
   *
   * @param tokens {@code [tokens, width]} from {@code offset} on
   * @param mask which tokens count, from {@code maskOffset} on; null for all
   */
  float[] pool(
      float[] tokens, int offset, int count, int width, float @Nullable [] mask, int maskOffset) {
    float[] vector = new float[modes.size() * width];
    boolean[] counts = new boolean[count];
    int last = 0;
    for (int t = 0; t < count; t++) {
      counts[t] = mask == null || mask[maskOffset + t] != 0;
      last = counts[t] ? t : last;
    }
    for (int i = 0; i < modes.size(); i++) {
      int to = i * width;
      switch (modes.get(i)) {
        case CLS -> System.arraycopy(tokens, offset, vector, to, width);
        case LAST -> System.arraycopy(tokens, offset + last * width, vector, to, width);
        case MAX -> maximum(tokens, offset, width, counts, vector, to);
        case MEAN, MEAN_SQUARE_ROOT, WEIGHTED_MEAN ->
            mean(tokens, offset, width, counts, modes.get(i), vector, to);
      }
    }
    return normalized ? normalize(vector) : vector;
  }

  private static void maximum(
      float[] tokens, int offset, int width, boolean[] counts, float[] vector, int to) {
    for (int d = 0; d < width; d++) {
      float max = Float.NEGATIVE_INFINITY;
      for (int t = 0; t < counts.length; t++) {
        max = counts[t] ? Math.max(max, tokens[offset + t * width + d]) : max;
      }
      vector[to + d] = max;
    }
  }

  private static void mean(
      float[] tokens, int offset, int width, boolean[] counts, Mode mode, float[] vector, int to) {
    double[] sums = new double[width];
    double total = 0;
    for (int t = 0; t < counts.length; t++) {
      if (counts[t]) {
        double weight = mode == Mode.WEIGHTED_MEAN ? t + 1 : 1;
        total += weight;
        for (int d = 0; d < width; d++) {
          sums[d] += weight * tokens[offset + t * width + d];
        }
      }
    }
    double divisor = Math.max(total, 1e-9);
    if (mode == Mode.MEAN_SQUARE_ROOT) {
      divisor = Math.sqrt(divisor);
    }
    for (int d = 0; d < width; d++) {
      vector[to + d] = (float) (sums[d] / divisor);
    }
  }

  private static float[] normalize(float[] vector) {
    double squares = 0;
    for (float x : vector) {
      squares += (double) x * x;
    }
    double length = Math.max(Math.sqrt(squares), EPSILON);
    for (int d = 0; d < vector.length; d++) {
      vector[d] = (float) (vector[d] / length);
    }
    return vector;
  }

  /** The stages of a run and the {@code sentence_embedding} that follows them. */
  Map<String, Tensor> completed(Map<String, Tensor> stages, @Nullable Tensor mask) {
    Tensor sequence = stages.get("last_hidden_state");
    if (sequence == null || stages.containsKey("logits")) {
      return stages;
    }
    int batch = sequence.shape().extent(0);
    int count = sequence.shape().extent(1);
    int width = sequence.shape().last();
    float[] tokens = sequence.toFloats();
    float @Nullable [] seen = mask == null ? null : mask.toFloats();
    float[] vectors = new float[batch * width * modes.size()];
    for (int i = 0; i < batch; i++) {
      float[] vector = pool(tokens, i * count * width, count, width, seen, i * count);
      System.arraycopy(vector, 0, vectors, i * vector.length, vector.length);
    }
    Map<String, Tensor> completed = new LinkedHashMap<>(stages);
    completed.put("sentence_embedding", Tensor.of(Shape.of(batch, width * modes.size()), vectors));
    return completed;
  }
}
