package dev.tessera.cli;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.image.Preprocessor;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A model that tells images apart, with its preprocessing, on an engine. */
final class Classifier implements AutoCloseable {
  private final Model model;
  private final Engine engine;
  private final Preprocessor preprocessor;
  private final List<String> labels;
  private final Map<Integer, Executable> executables = new HashMap<>();

  private Classifier(Model model, Engine engine, Preprocessor preprocessor, List<String> labels) {
    this.model = model;
    this.engine = engine;
    this.preprocessor = preprocessor;
    this.labels = labels;
  }

  /**
   * Loads the model in {@code directory}; {@code engine} is closed with it.
   *
   * @throws CheckpointException if it cannot be used for classification
   */
  static Classifier load(Path directory, Engine engine) throws IOException {
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
      return new Classifier(model, engine, preprocessor(model), labels);
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** What the checkpoint says about turning pictures into the model's input. */
  static Preprocessor preprocessor(Model model) throws CheckpointException {
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
  static Preprocessor preprocessor(HfDirectory files) throws CheckpointException {
    try {
      return files.layout() == HfDirectory.Layout.TIMM
          ? Preprocessor.ofTimm(files.config())
          : Preprocessor.ofHuggingFace(files.preprocessor(), files.config());
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          files.path(), "has preprocessing that is not understood: " + e.getMessage(), e);
    }
  }

  Preprocessor preprocessor() {
    return preprocessor;
  }

  /** What the logits mean, in order. */
  List<String> labels() {
    return labels;
  }

  /** Whether several labels may hold at once. */
  boolean isMultiLabel() {
    return "multi_label_classification".equals(model.files().config().get("problem_type"));
  }

  /** Makes ready for {@code count} images at once. */
  void prepare(int count) {
    executable(count);
  }

  /**
   * The logits of the first {@code count} images.
   *
   * @param pixels {@code [batch, channels, height, width]}, {@code count} at most batch
   */
  float[][] logits(Tensor pixels, int count) {
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
  static int size(int count, int batch) {
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
