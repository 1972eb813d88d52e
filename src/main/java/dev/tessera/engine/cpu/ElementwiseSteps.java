package dev.tessera.engine.cpu;

import dev.tessera.graph.Activation;

/**
 * Sums, products and activations: plain loops over blocks of floats, which the JIT vectorises and
 * compiles sooner than explicit vectors.
 */
final class ElementwiseSteps {
  /** Floats of one task: 64 kB, some 10 µs. */
  private static final int BLOCK = 16_384;

  private ElementwiseSteps() {}

  private interface Range {
    void apply(Kernels kernels, int from, int end);
  }

  private static Step over(int count, Range range) {
    return (pool, kernels) ->
        pool.run(
            Math.ceilDiv(count, BLOCK),
            count,
            (worker, task) ->
                range.apply(kernels, task * BLOCK, Math.min(count, (task + 1) * BLOCK)));
  }

  /** {@code output = left + right}, {@code right} repeated every {@code period} floats. */
  static Step add(float[] left, float[] right, int period, float[] output, int count) {
    return over(
        count,
        (kernels, from, end) -> {
          for (int i = from; i < end; ) {
            int at = i % period;
            int run = Math.min(end - i, period - at);
            for (int j = 0; j < run; j++) {
              output[i + j] = left[i + j] + right[at + j];
            }
            i += run;
          }
        });
  }

  /** {@code output = left · right}, {@code right} repeated every {@code period} floats. */
  static Step multiply(float[] left, float[] right, int period, float[] output, int count) {
    return over(
        count,
        (kernels, from, end) -> {
          for (int i = from; i < end; ) {
            int at = i % period;
            int run = Math.min(end - i, period - at);
            for (int j = 0; j < run; j++) {
              output[i + j] = left[i + j] * right[at + j];
            }
            i += run;
          }
        });
  }

  static Step copy(float[] input, float[] output, int count) {
    return (pool, kernels) -> System.arraycopy(input, 0, output, 0, count);
  }

  static Step scale(float[] input, float factor, float[] output, int count) {
    return over(
        count,
        (kernels, from, end) -> {
          for (int i = from; i < end; i++) {
            output[i] = input[i] * factor;
          }
        });
  }

  @SuppressWarnings("ReferenceEquality") // whether the plan chose to write in place
  static Step activate(Activation activation, float[] input, float[] output, int count) {
    return over(
        count,
        (kernels, from, end) -> {
          if (input != output) {
            System.arraycopy(input, from, output, from, end - from);
          }
          kernels.activate(activation, output, from, end - from);
        });
  }

  /** {@code activation(a) · b} for rows {@code [a, b]} of {@code 2·half} floats. */
  static Step gated(Activation activation, float[] input, int half, float[] output, int rows) {
    return (pool, kernels) ->
        pool.run(
            rows,
            (long) rows * half,
            (worker, row) -> {
              int to = row * half;
              System.arraycopy(input, 2 * to, output, to, half);
              kernels.activate(activation, output, to, half);
              for (int i = 0; i < half; i++) {
                output[to + i] *= input[2 * to + half + i];
              }
            });
  }
}
