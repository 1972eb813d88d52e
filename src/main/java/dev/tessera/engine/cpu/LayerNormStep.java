package dev.tessera.engine.cpu;

/** Layer normalisation, a block of rows a task; the variance is taken around the mean. */
final class LayerNormStep implements Step {
  private static final int ROWS_OF_TASK = 16;

  private final float[] input;
  private final float[] weight;
  private final float[] bias;
  private final float epsilon;
  private final int rows;
  private final float[] output;

  LayerNormStep(
      float[] input, float[] weight, float[] bias, float epsilon, int rows, float[] output) {
    this.input = input;
    this.weight = weight;
    this.bias = bias;
    this.epsilon = epsilon;
    this.rows = rows;
    this.output = output;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    pool.run(
        Math.ceilDiv(rows, ROWS_OF_TASK),
        (long) rows * weight.length,
        (worker, task) -> {
          int end = Math.min(rows, (task + 1) * ROWS_OF_TASK);
          for (int row = task * ROWS_OF_TASK; row < end; row++) {
            kernels.layerNorm(input, row * weight.length, weight, bias, epsilon, output);
          }
        });
  }
}
