package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;

import org.jspecify.annotations.Nullable;

/**
 * Packs the right-hand side of a product again on every run: weights in training, which every step
 * changes, and activations, whose product with a gradient is the gradient of the weights.
 *
 * @param source {@code [in, out]}, or {@code [out, in]} if it is transposed, as weights are stored
 * @param bias {@code [out]} or null for zeros
 * @param scratch for each worker room for one panel; needed for a transposed source
 */
record Refill(float[] source, boolean transposed, float @Nullable [] bias, float[][] scratch) {
  void run(WorkerPool pool, PackedMatrix target) {
    if (bias != null) {
      System.arraycopy(bias, 0, target.bias(), 0, target.out());
    }
    pool.run(
        target.panels(),
        (long) target.in() * target.out() / 2,
        (worker, panel) -> {
          if (transposed) {
            transposedPanel(target, panel, scratch[worker]);
          } else {
            panel(target, panel);
          }
        });
  }

  private void transposedPanel(PackedMatrix target, int panel, float[] packed) {
    int in = target.in();
    int first = panel * COLUMNS;
    int columns = Math.min(COLUMNS, target.out() - first);
    Packing.columns(source, first * in, in, columns, in, 1f, packed, 0);
    NativeFloats.copy(packed, 0, target.panel(panel, 0), in * COLUMNS);
  }

  private void panel(PackedMatrix target, int panel) {
    int first = panel * COLUMNS;
    int columns = Math.min(COLUMNS, target.out() - first);
    VectorKernels.copyColumns(
        source, first, target.out(), columns, target.in(), target.panel(panel, 0));
  }
}
