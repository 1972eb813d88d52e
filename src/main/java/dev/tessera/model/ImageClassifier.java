package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Executable;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model that tells images apart, with its preprocessing, on an engine: the way from an image file
 * to labels.
 *
 * <p>Several threads may use one classifier; it computes for one at a time.
 */
public final class ImageClassifier implements AutoCloseable {
  private final Decoder decoder = new Decoder();
  private final Model model;
  private final Engine engine;
  private final Preprocessor preprocessor;
  private final List<String> labels;
  private final Map<Integer, Executable> executables = new HashMap<>();

  private ImageClassifier(
      Model model, Engine engine, Preprocessor preprocessor, List<String> labels) {
    this.model = model;
    this.engine = engine;
    this.preprocessor = preprocessor;
    this.labels = labels;
  }

  /**
   * Loads the model in {@code directory} on the best engine there is, with a thread for each core.
   * In a JVM without {@code --add-modules jdk.incubator.vector} that is the scalar engine, which is
   * many times slower.
   *
   * @param directory a model as Hugging Face publishes it: config.json, model.safetensors,
   *     preprocessor_config.json
   * @throws CheckpointException if it cannot be used for classification
   */
  public static ImageClassifier open(Path directory) throws IOException {
    Engine engine;
    try {
      engine = Engines.open(Engines.AUTO, 0);
    } catch (DeviceException e) {
      throw new AssertionError("only a device that was named can be missing", e);
    }
    try {
      return open(directory, engine);
    } catch (IOException | RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  /**
   * Loads the model in {@code directory}.
   *
   * @param engine closed with the classifier, but not if this fails
   * @throws CheckpointException if it cannot be used for classification
   */
  public static ImageClassifier open(Path directory, Engine engine) throws IOException {
    Model model = Models.load(directory);
    try {
      List<String> labels = model.labels();
      if (labels.isEmpty()) {
        throw new CheckpointException(
            directory,
            "has no classifier (architecture "
                + model.architecture()
                + "); give a model that was trained to classify");
      }
      return new ImageClassifier(model, engine, preprocessor(model), labels);
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** What the checkpoint says about turning pictures into the model's input. */
  public static Preprocessor preprocessor(Model model) throws CheckpointException {
    if (!model.takesImages()) {
      throw new CheckpointException(
          model.files().path(),
          "holds a model of texts ("
              + model.architecture()
              + "), which reads no images; give a model of images");
    }
    Preprocessor preprocessor = preprocessor(model.files());
    if (preprocessor.channels() != model.channels()) {
      throw new CheckpointException(
          model.files().path(),
          "has preprocessing to %d channels for a model of %d; correct its preprocessor_config.json"
              .formatted(preprocessor.channels(), model.channels()));
    }
    return preprocessor;
  }

  /** The same of a directory whose weights are of no interest. */
  public static Preprocessor preprocessor(HfDirectory files) throws CheckpointException {
    try {
      return switch (files.layout()) {
        case TIMM -> Preprocessor.ofTimm(files.config());
        case OPEN_CLIP -> Preprocessor.ofOpenClip(files.config());
        case TRANSFORMERS -> Preprocessor.ofHuggingFace(files.preprocessor(), files.config());
      };
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          files.path(), "has preprocessing that is not understood: " + e.getMessage(), e);
    }
  }

  public Preprocessor preprocessor() {
    return preprocessor;
  }

  /** What the logits mean, in order. */
  public List<String> labels() {
    return labels;
  }

  /** Whether several labels may hold at once: scores are then sigmoids rather than a softmax. */
  public boolean isMultiLabel() {
    return model.isMultiLabel();
  }

  /**
   * The {@code count} best labels of the picture in {@code file}, best first.
   *
   * @throws ImageException if it cannot be read as a picture, or the model's preprocessing does not
   *     fit it
   */
  public List<Prediction> classify(Path file, int count) throws ImageException {
    RgbImage image = decoder.decode(file);
    try {
      return classify(image, count);
    } catch (IllegalArgumentException e) {
      throw new ImageException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * The {@code count} best labels of {@code image}, best first.
   *
   * @throws IllegalArgumentException if the model's preprocessing does not fit it
   */
  public List<Prediction> classify(RgbImage image, int count) {
    float[] values = new float[preprocessor.size()];
    preprocessor.apply(image, values, 0);
    Shape shape = Shape.of(1, preprocessor.channels(), preprocessor.height(), preprocessor.width());
    float[][] logits = logits(Tensor.of(shape, values), 1);
    return new Ranking(labels, isMultiLabel(), count, 0).rank(logits[0]);
  }

  /** Makes ready for {@code count} images at once. */
  public synchronized void prepare(int count) {
    executable(count);
  }

  /**
   * The logits of the first {@code count} images.
   *
   * @param pixels {@code [batch, channels, height, width]}, {@code count} at most batch
   * @return {@code [count][labels]}
   */
  public synchronized float[][] logits(Tensor pixels, int count) {
    int size = size(count, pixels.shape().extent(0));
    Map<String, Tensor> outputs =
        executable(size).run(Map.of("pixel_values", pixels.slice(0, size)));
    Tensor logits = outputs.get("logits");
    if (logits == null) {
      throw new IllegalStateException("the model computes no logits but " + outputs.keySet());
    }
    float[][] rows = new float[count][labels.size()];
    for (int i = 0; i < count; i++) {
      logits.copyTo((long) i * labels.size(), rows[i], 0, labels.size());
    }
    return rows;
  }

  /**
   * How many images are computed for {@code count}: a power of two or the whole batch, so that few
   * graphs are compiled.
   */
  public static int size(int count, int batch) {
    int size = 1;
    while (size < count) {
      size *= 2;
    }
    return Math.min(size, batch);
  }

  private Executable executable(int size) {
    return executables.computeIfAbsent(
        size,
        n ->
            engine.compile(
                model.graph(n, preprocessor.height(), preprocessor.width(), Outputs.RESULT),
                model.parameters()));
  }

  @Override
  public void close() {
    engine.close();
    model.close();
  }
}
