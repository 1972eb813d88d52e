package dev.tessera.engine.cpu;

import dev.tessera.graph.Activation;
import dev.tessera.graph.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gradients that pass over memory once or twice.
 *
 * <p>Sums over rows are taken in a fixed number of parts, whatever the number of threads, so that
 * two trainings of one seed agree to the last bit.
 */
final class GradientSteps {
  /** Floats of one task. */
  private static final int BLOCK = 16_384;

  /** Parts of a sum over rows. */
  private static final int PARTS = 16;

  private GradientSteps() {}

  static Step activate(
      Activation activation, float[] x, float[] gradient, float[] output, int count) {
    return (pool, kernels) ->
        pool.run(
            Math.ceilDiv(count, BLOCK),
            count,
            (worker, task) ->
                VectorGradients.activate(
                    activation,
                    x,
                    gradient,
                    output,
                    task * BLOCK,
                    Math.min(count, (task + 1) * BLOCK)));
  }

  /** {@code output[i] = Σ input[i + n·length]} over {@code rows} rows of the output's length. */
  static Step sumLeading(float[] input, int rows, int length, float[] output) {
    float[] sums = new float[PARTS * length];
    return (pool, kernels) -> {
      pool.run(
          PARTS,
          (long) rows * length / 4,
          (worker, part) -> {
            int first = partEnd(rows, part - 1);
            sumRows(input, first, partEnd(rows, part), length, sums, part * length);
          });
      reduce(sums, PARTS, 0, length, length, output);
    };
  }

  static Step layerNorm(
      float[] x,
      float[] weight,
      float[] gradient,
      float @Nullable [] residual,
      float epsilon,
      int rows,
      float[] output,
      float[] weightGradient,
      float[] biasGradient) {
    int width = weight.length;
    float[] sums = new float[PARTS * 2 * width];
    return (pool, kernels) -> {
      pool.run(
          PARTS,
          (long) rows * width,
          (worker, part) -> {
            int at = part * 2 * width;
            Arrays.fill(sums, at, at + 2 * width, 0f);
            VectorGradients.layerNorm(
                x,
                weight,
                gradient,
                residual,
                epsilon,
                output,
                partEnd(rows, part - 1),
                partEnd(rows, part),
                sums,
                at);
          });
      reduce(sums, PARTS, 0, 2 * width, width, weightGradient);
      reduce(sums, PARTS, width, 2 * width, width, biasGradient);
    };
  }

  private static int partEnd(int rows, int part) {
    return (int) ((long) rows * (part + 1) / PARTS);
  }

  /** The sum of rows {@code first} to {@code end}, to {@code sums} from {@code at} on. */
  static void sumRows(float[] input, int first, int end, int length, float[] sums, int at) {
    Arrays.fill(sums, at, at + length, 0f);
    for (int row = first; row < end; row++) {
      VectorGradients.addTo(sums, at, input, row * length, length);
    }
  }

  /** The sum of {@code parts} partial sums, which begin {@code stride} apart. */
  static void reduce(float[] sums, int parts, int from, int stride, int length, float[] output) {
    System.arraycopy(sums, from, output, 0, length);
    for (int part = 1; part < parts; part++) {
      VectorGradients.addTo(output, 0, sums, from + part * stride, length);
    }
  }

  /** See {@link Op.L2Normalize}. */
  static Step l2Normalize(Op.L2Normalize op, float[] input, float[] output) {
    int width = op.output().shape().last();
    return (pool, kernels) ->
        pool.run(
            (int) op.output().shape().rows(),
            op.output().shape().elements() / 4,
            (worker, row) -> {
              int from = row * width;
              int end = from + width;
              double squares = 0;
              for (int at = from; at < end; at += BLOCK) {
                squares += VectorGradients.squares(input, at, Math.min(end, at + BLOCK));
              }
              float length = (float) Math.max(Math.sqrt(squares), op.epsilon());
              VectorGradients.divide(input, from, end, length, output);
            });
  }

  private record Part(float[] array, int from, int end) {}

  /** See {@link dev.tessera.graph.GradientOp.Norm}. */
  static Step norm(List<float[]> gradients, int[] counts, float maximum, float[] output) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < counts.length; i++) {
      for (int from = 0; from < counts[i]; from += BLOCK) {
        parts.add(new Part(gradients.get(i), from, Math.min(counts[i], from + BLOCK)));
      }
    }
    double[] squares = new double[parts.size()];
    return (pool, kernels) -> {
      pool.run(
          squares.length,
          (long) squares.length * BLOCK / 8,
          (worker, task) -> {
            Part part = parts.get(task);
            squares[task] = VectorGradients.squares(part.array, part.from, part.end);
          });
      double norm = Math.sqrt(Arrays.stream(squares).sum());
      output[0] = (float) norm;
      output[1] = maximum == 0 ? 1f : (float) Math.min(1, maximum / (norm + 1e-6));
    };
  }

  /** See {@link Op.Dropout}. */
  static Step dropout(Op.Dropout op, float[] input, float[] seed, float[] output) {
    int run = op.run();
    int runs = (int) (op.output().shape().elements() / run);
    int runsOfTask = Math.max(1, BLOCK / run);
    return (pool, kernels) ->
        pool.run(
            Math.ceilDiv(runs, runsOfTask),
            (long) runs * (run / 8 + 4),
            (worker, task) -> {
              for (int i = task * runsOfTask; i < Math.min(runs, (task + 1) * runsOfTask); i++) {
                float factor = op.factor(seed[0], seed[1], i);
                for (int at = i * run; at < (i + 1) * run; at++) {
                  output[at] = input[at] * factor;
                }
              }
            });
  }
}
