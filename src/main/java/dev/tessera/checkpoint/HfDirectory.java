package dev.tessera.checkpoint;

import dev.tessera.tensor.Tensor;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A model directory as Hugging Face publishes it: {@code config.json}, weights in safetensors (one
 * file or shards with an index) and, if there is one, {@code preprocessor_config.json}.
 *
 * <p>Directories written by {@code transformers}, timm and open_clip are understood. Closing it
 * unmaps the weights.
 */
public final class HfDirectory implements AutoCloseable {
  /** Who wrote the directory, which decides what its config means. */
  public enum Layout {
    TRANSFORMERS,
    TIMM,
    OPEN_CLIP
  }

  /** What {@code transformers} asks of a safetensors file before it believes the names in it. */
  public static final Map<String, String> METADATA = Map.of("format", "pt");

  private final Path path;
  private final Layout layout;
  private final Map<String, @Nullable Object> config;
  private final @Nullable Map<String, @Nullable Object> preprocessor;
  private final Path weightsFile;
  private final List<Safetensors> files;
  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, String> unreadable;

  private HfDirectory(
      Path path,
      Layout layout,
      Map<String, @Nullable Object> config,
      @Nullable Map<String, @Nullable Object> preprocessor,
      Path weightsFile,
      List<Safetensors> files,
      SequencedMap<String, Tensor> tensors,
      Map<String, String> unreadable) {
    this.path = path;
    this.layout = layout;
    this.config = config;
    this.preprocessor = preprocessor;
    this.weightsFile = weightsFile;
    this.files = List.copyOf(files);
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
    this.unreadable = Map.copyOf(unreadable);
  }

  /**
   * Bytes of the weights in {@code directory}, by a look at the names that {@link #open} looks for:
   * 0 if it holds no model, more than one file can have if they are in shards.
   */
  public static long weightBytes(File directory) {
    return new File(directory, "model.safetensors.index.json").exists()
        ? Long.MAX_VALUE
        : Math.max(
            new File(directory, "model.safetensors").length(),
            new File(directory, "open_clip_model.safetensors").length());
  }

  /**
   * Opens the directory {@code path}, reading its JSON and mapping its weights.
   *
   * @throws CheckpointException if something in it is missing, malformed or in a format that is not
   *     read; the message says what to do
   */
  public static HfDirectory open(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      throw new CheckpointException(path, notDirectory(path));
    }
    Path configFile = path.resolve("config.json");
    Path openClip = path.resolve("open_clip_config.json");
    if (!Files.exists(configFile)) {
      if (!Files.exists(openClip)) {
        throw new CheckpointException(
            path,
            "has no config.json; give a model directory as Hugging Face publishes it"
                + " (config.json and model.safetensors)");
      }
      configFile = openClip;
    }
    Map<String, @Nullable Object> config = Json.readObject(configFile);
    Layout layout =
        configFile.equals(openClip)
            ? Layout.OPEN_CLIP
            : isTimm(config) ? Layout.TIMM : Layout.TRANSFORMERS;
    Path preprocessorFile = path.resolve("preprocessor_config.json");
    Map<String, @Nullable Object> preprocessor =
        Files.exists(preprocessorFile) ? Json.readObject(preprocessorFile) : null;

    List<Safetensors> files = new ArrayList<>();
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, String> unreadable = new HashMap<>();
    try {
      Path weights = path.resolve("model.safetensors");
      Path index = path.resolve("model.safetensors.index.json");
      if (!Files.exists(weights) && !Files.exists(index)) {
        weights = path.resolve("open_clip_model.safetensors");
      }
      if (Files.exists(weights)) {
        Safetensors file = Safetensors.open(weights);
        files.add(file);
        tensors.putAll(file.tensors());
        unreadable.putAll(file.unreadable());
      } else if (Files.exists(index)) {
        weights = index;
        new ShardIndex(index).open(files, tensors, unreadable);
      } else {
        throw new CheckpointException(path, Pickles.advice(path, config));
      }
      return new HfDirectory(
          path, layout, config, preprocessor, weights, files, tensors, unreadable);
    } catch (IOException | RuntimeException | Error e) {
      files.forEach(Safetensors::close);
      throw e;
    }
  }

  /**
   * A directory in memory, as it will be written.
   *
   * @param path where it will be, named in errors
   * @param tensors under the names that the files will have
   */
  public static HfDirectory of(
      Path path,
      Map<String, @Nullable Object> config,
      @Nullable Map<String, @Nullable Object> preprocessor,
      Map<String, Tensor> tensors) {
    return new HfDirectory(
        path,
        isTimm(config) ? Layout.TIMM : Layout.TRANSFORMERS,
        config,
        preprocessor,
        path.resolve("model.safetensors"),
        List.of(),
        new LinkedHashMap<>(tensors),
        Map.of());
  }

  /** Its JSON files: name to text. */
  public Map<String, String> documents() {
    Map<String, String> documents = new LinkedHashMap<>();
    documents.put("config.json", Json.write(config));
    if (preprocessor != null) {
      documents.put("preprocessor_config.json", Json.write(preprocessor));
    }
    return documents;
  }

  /**
   * Writes config, preprocessing and weights into {@code folder}, which is made where it is
   * missing; each file is replaced in one move.
   */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (Map.Entry<String, String> document : documents().entrySet()) {
      AtomicFile.write(folder.resolve(document.getKey()), document.getValue());
    }
    Safetensors.write(folder.resolve("model.safetensors"), tensors, METADATA);
  }

  public Path path() {
    return path;
  }

  public Layout layout() {
    return layout;
  }

  /** {@code config.json} (or {@code open_clip_config.json}) as it stands. */
  public Map<String, @Nullable Object> config() {
    return config;
  }

  /** {@code preprocessor_config.json}, or null where there is none. */
  public @Nullable Map<String, @Nullable Object> preprocessor() {
    return preprocessor;
  }

  /** timm's {@code pretrained_cfg}; older files have its keys at the top level. */
  public Map<String, @Nullable Object> pretrainedCfg() {
    Map<String, @Nullable Object> nested = Json.asObject(config.get("pretrained_cfg"));
    return nested == null ? config : nested;
  }

  /** The weights under the file's own names. */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * The weights under canonical names.
   *
   * @param family the base model's prefix, as {@link NameMap#of} takes it
   */
  public Weights weights(String family) throws CheckpointException {
    return new Weights(weightsFile, family, tensors, unreadable);
  }

  /**
   * What each of the {@code count} outputs of the classifier means: {@code id2label}, timm's {@code
   * label_descriptions} or {@code label_names}; where the config says nothing, {@code LABEL_0} as
   * {@code transformers} has it or, for timm, the index.
   */
  public List<String> labels(int count) {
    return switch (layout) {
      case TRANSFORMERS, OPEN_CLIP -> {
        Map<String, @Nullable Object> names = Json.asObject(config.get("id2label"));
        List<String> labels = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
          Object name = names == null ? null : names.get(Integer.toString(i));
          labels.add(name == null ? "LABEL_" + i : name.toString());
        }
        yield Collections.unmodifiableList(labels);
      }
      case TIMM -> {
        Object listed =
            config.containsKey("label_names")
                ? config.get("label_names")
                : pretrainedCfg().get("label_names");
        Map<String, @Nullable Object> descriptions =
            Json.asObject(
                config.containsKey("label_descriptions")
                    ? config.get("label_descriptions")
                    : pretrainedCfg().get("label_descriptions"));
        List<?> names = listed instanceof List<?> list ? list : List.of();
        List<String> labels = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
          Object name = i < names.size() ? names.get(i) : null;
          String label = name == null ? Integer.toString(i) : name.toString();
          Object description = descriptions == null ? null : descriptions.get(label);
          labels.add(description == null ? label : description.toString());
        }
        yield Collections.unmodifiableList(labels);
      }
    };
  }

  /** Unmaps the weights: their tensors must not be used any more. */
  @Override
  public void close() {
    files.forEach(Safetensors::close);
  }

  /** timm's own directories have no model_type, those of transformers' wrapper around timm do. */
  private static boolean isTimm(Map<String, @Nullable Object> config) {
    Object type = config.get("model_type");
    return config.containsKey("architecture") && (type == null || type.equals("timm_wrapper"));
  }

  private static String notDirectory(Path path) {
    if (!Files.exists(path)) {
      return "does not exist; give a model directory that holds config.json and model.safetensors";
    }
    return Pickles.isPickle(path)
        ? "is a file of pickled Python objects; give a model directory, and convert the weights"
            + " first: "
            + Pickles.convertFile(path)
        : "is not a directory; give the model directory that holds config.json and"
            + " model.safetensors";
  }
}
