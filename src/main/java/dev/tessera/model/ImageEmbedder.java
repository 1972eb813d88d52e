package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Executable;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Pruning;
import dev.tessera.graph.Value;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model that gives each picture a vector, with its preprocessing, on an engine. Pictures that the
 * model takes for alike have vectors of a large cosine.
 *
 * <p>Only what the vector needs is computed: no classifier, even where the model has one. Several
 * threads may use one embedder; it computes for one at a time.
 */
public final class ImageEmbedder implements AutoCloseable {
  private final Decoder decoder = new Decoder();
  private final Model model;
  private final Engine engine;
  private final Preprocessor preprocessor;
  private final Pooling pooling;
  private final int dimensions;
  private final Map<Integer, Executable> executables = new HashMap<>();

  private ImageEmbedder(Model model, Engine engine, Preprocessor preprocessor, Pooling pooling)
      throws CheckpointException {
    this.model = model;
    this.engine = engine;
    this.preprocessor = preprocessor;
    this.pooling = pooling;
    this.dimensions = output(graph(1)).shape().last();
  }

  /**
   * Loads the model in {@code directory} on the best engine there is, with a thread for each core,
   * and pools as the model says.
   *
   * @param directory a model as Hugging Face publishes it: config.json, model.safetensors,
   *     preprocessor_config.json
   * @throws CheckpointException if it cannot be used
   */
  public static ImageEmbedder open(Path directory) throws IOException {
    Engine engine;
    try {
      engine = Engines.open(Engines.AUTO, 0);
    } catch (DeviceException e) {
      throw new AssertionError("only a device that was named can be missing", e);
    }
    try {
      return open(directory, engine, null);
    } catch (IOException | RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  /**
   * Loads the model in {@code directory}.
   *
   * @param engine closed with the embedder, but not if this fails
   * @param pooling what stands for the picture; null for what the model says
   * @throws CheckpointException if it cannot be used, or does not have what is to be pooled
   */
  public static ImageEmbedder open(Path directory, Engine engine, @Nullable Pooling pooling)
      throws IOException {
    Model model = Models.load(directory);
    try {
      return over(model, engine, pooling);
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Over a model that is open already; it is closed with the embedder, but not if this fails. */
  static ImageEmbedder over(Model model, Engine engine, @Nullable Pooling pooling)
      throws CheckpointException {
    return new ImageEmbedder(
        model,
        engine,
        ImageClassifier.preprocessor(model),
        pooling == null ? model.pooling() : pooling);
  }

  public Preprocessor preprocessor() {
    return preprocessor;
  }

  /** What stands for a picture. */
  public Pooling pooling() {
    return pooling;
  }

  /** How many numbers a vector has. */
  public int dimensions() {
    return dimensions;
  }

  /** The class in {@code transformers}, or timm's name. */
  public String architecture() {
    return model.architecture();
  }

  /**
   * Says which vectors can be compared: equal for models that embed alike, whatever their folder is
   * called, and different as soon as a weight, the pooling or the preprocessing differs. Labels and
   * classifiers do not matter. 32 hexadecimal digits.
   */
  public String fingerprint() throws CheckpointException {
    return Fingerprint.of(model, graph(1), preprocessor, pooling);
  }

  /**
   * The vector of the picture in {@code file}.
   *
   * @throws ImageException if it cannot be read as a picture, or the model's preprocessing does not
   *     fit it
   */
  public float[] embed(Path file) throws ImageException {
    RgbImage image = decoder.decode(file);
    try {
      return embed(image);
    } catch (IllegalArgumentException e) {
      throw new ImageException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * The vector of {@code image}.
   *
   * @throws IllegalArgumentException if the model's preprocessing does not fit it
   */
  public float[] embed(RgbImage image) {
    float[] values = new float[preprocessor.size()];
    preprocessor.apply(image, values, 0);
    Shape shape = Shape.of(1, preprocessor.channels(), preprocessor.height(), preprocessor.width());
    return embeddings(Tensor.of(shape, values), 1)[0];
  }

  /** Scales {@code vector} to length 1; a vector of zeros stays as it is. */
  public static void normalize(float[] vector) {
    double sum = 0;
    for (float x : vector) {
      sum += (double) x * x;
    }
    if (sum > 0) {
      double scale = 1 / Math.sqrt(sum);
      for (int i = 0; i < vector.length; i++) {
        vector[i] = (float) (vector[i] * scale);
      }
    }
  }

  /** Makes ready for {@code count} images at once. */
  public synchronized void prepare(int count) {
    executable(count);
  }

  /**
   * The vectors of the first {@code count} images.
   *
   * @param pixels {@code [batch, channels, height, width]}, {@code count} at most batch
   * @return {@code [count][dimensions]}
   */
  public synchronized float[][] embeddings(Tensor pixels, int count) {
    int size = ImageClassifier.size(count, pixels.shape().extent(0));
    Map<String, Tensor> outputs =
        executable(size).run(Map.of("pixel_values", pixels.slice(0, size)));
    Tensor output = outputs.get(pooling.output());
    if (output == null) {
      throw new IllegalStateException("the model computes " + outputs.keySet());
    }
    float[][] vectors = new float[count][dimensions];
    for (int i = 0; i < count; i++) {
      pool(output, i, vectors[i]);
    }
    return vectors;
  }

  private void pool(Tensor output, int image, float[] vector) {
    if (output.shape().rank() == 2) {
      output.copyTo((long) image * dimensions, vector, 0, dimensions);
      return;
    }
    int tokens = output.shape().extent(1);
    long first = (long) image * tokens * dimensions;
    if (pooling == Pooling.CLS) {
      output.copyTo(first, vector, 0, dimensions);
      return;
    }
    int prefix = model.prefixTokens();
    double[] sums = new double[dimensions];
    for (int token = prefix; token < tokens; token++) {
      output.copyTo(first + (long) token * dimensions, vector, 0, dimensions);
      for (int i = 0; i < dimensions; i++) {
        sums[i] += vector[i];
      }
    }
    for (int i = 0; i < dimensions; i++) {
      vector[i] = (float) (sums[i] / (tokens - prefix));
    }
  }

  private Executable executable(int size) {
    return executables.computeIfAbsent(
        size,
        n -> {
          try {
            return engine.compile(graph(n), model.parameters());
          } catch (CheckpointException e) {
            throw new IllegalStateException("the graph for one image could be made", e);
          }
        });
  }

  private Graph graph(int batch) throws CheckpointException {
    Graph stages = model.graph(batch, preprocessor.height(), preprocessor.width(), Outputs.STAGES);
    boolean there = stages.outputs().containsKey(pooling.output());
    if (!there || (pooling == Pooling.CLS && !model.hasClassToken())) {
      throw new CheckpointException(
          model.files().path(),
          "has no %s (architecture %s); pool %s"
              .formatted(
                  switch (pooling) {
                    case CLS -> "class token";
                    case MEAN -> "sequence of tokens";
                    case POOLER -> "pooler";
                    case PROJECTION -> "projection";
                  },
                  model.architecture(),
                  String.join(" or ", alternatives(stages))));
    }
    return Pruning.to(stages, pooling.output());
  }

  private List<String> alternatives(Graph stages) {
    List<String> names = new ArrayList<>();
    for (Pooling other : Pooling.values()) {
      if (stages.outputs().containsKey(other.output())
          && (other != Pooling.CLS || model.hasClassToken())) {
        names.add(other.toString());
      }
    }
    return names;
  }

  private Value output(Graph graph) {
    Value value = graph.outputs().get(pooling.output());
    if (value == null) {
      throw new IllegalStateException("no " + pooling.output());
    }
    return value;
  }

  @Override
  public void close() {
    engine.close();
    model.close();
  }
}
