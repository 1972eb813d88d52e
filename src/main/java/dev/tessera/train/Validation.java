package dev.tessera.train;

import dev.tessera.data.Batch;
import dev.tessera.data.BatchStream;
import dev.tessera.data.Batches;
import dev.tessera.engine.Executable;
import dev.tessera.metrics.Evaluation;
import dev.tessera.tensor.Tensor;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Measures a model that is being trained on images that it is not trained on. */
final class Validation {
  private final Batches batches;
  private final Executable model;

  /**
   * @param batches in order
   * @param model takes {@code pixel_values} and gives {@code logits}, with its present weights
   */
  Validation(Batches batches, Executable model) {
    this.batches = batches;
    this.model = model;
  }

  /** What the model knows now, or null if {@code stop} came true before the end. */
  @Nullable Evaluation run(BooleanSupplier stop) throws InterruptedException {
    int classes = batches.images().classes().size();
    Evaluation evaluation = new Evaluation(classes);
    float[] row = new float[classes];
    try (BatchStream stream = batches.epoch(0)) {
      while (true) {
        try (Batch batch = stream.next()) {
          if (batch == null) {
            return evaluation;
          }
          if (stop.getAsBoolean()) {
            return null;
          }
          add(evaluation, batch, row);
        }
      }
    }
  }

  private void add(Evaluation evaluation, Batch batch, float[] row) {
    Tensor logits = model.run(Map.of("pixel_values", batch.pixels())).get("logits");
    if (logits == null) {
      throw new IllegalStateException("the model computes no logits");
    }
    int[] labels = batch.labels();
    for (int i = 0; i < labels.length; i++) {
      logits.copyTo((long) i * row.length, row, 0, row.length);
      evaluation.add(labels[i], row);
    }
  }
}
