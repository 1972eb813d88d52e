package dev.tessera.engine.cpu;

import dev.tessera.engine.Executable;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/** Operations that only bring floats to another place: copies of whole runs. */
final class MovementSteps {
  private MovementSteps() {}

  static Step patches(Op.Patches op, float[] pixels, float[] output) {
    Shape in = op.input().shape();
    int channels = in.extent(1);
    int height = in.extent(2);
    int width = in.extent(3);
    int patchHeight = op.patchHeight();
    int patchWidth = op.patchWidth();
    int columns = width / patchWidth;
    int rows = height / patchHeight;
    int length = channels * patchHeight * patchWidth;
    return (pool, kernels) ->
        pool.run(
            in.extent(0) * rows,
            op.output().shape().elements(),
            (worker, task) -> {
              int image = task / rows;
              int top = task % rows * patchHeight;
              int to = task * columns * length;
              for (int column = 0; column < columns; column++) {
                for (int c = 0; c < channels; c++) {
                  int from = ((image * channels + c) * height + top) * width + column * patchWidth;
                  for (int y = 0; y < patchHeight; y++) {
                    System.arraycopy(pixels, from + y * width, output, to, patchWidth);
                    to += patchWidth;
                  }
                }
              }
            });
  }

  /** Where the rows of a table are. */
  interface Rows {
    /** Copies {@code count} elements, starting at element {@code from}. */
    void copyTo(long from, float[] target, int offset, int count);
  }

  static Step embedding(float[] ids, int count, Rows rows, Shape table, float[] output) {
    int width = table.last();
    int[] checked = new int[count];
    return (pool, kernels) -> {
      for (int i = 0; i < count; i++) {
        checked[i] = Executable.row(ids[i], table.extent(0));
      }
      pool.run(
          count,
          (long) count * width,
          (worker, i) -> rows.copyTo((long) checked[i] * width, output, i * width, width));
    };
  }

  static Step concat(Op.Concat op, List<float[]> parts, float[] output) {
    Shape out = op.output().shape();
    int imageLength = out.extent(1) * out.extent(2);
    return (pool, kernels) ->
        pool.run(
            out.extent(0),
            out.elements() / 4,
            (worker, image) -> {
              int to = image * imageLength;
              for (int i = 0; i < parts.size(); i++) {
                Value part = op.parts().get(i);
                int length = part.shape().extent(1) * part.shape().extent(2);
                int from = part.shape().extent(0) == 1 ? 0 : image * length;
                System.arraycopy(parts.get(i), from, output, to, length);
                to += length;
              }
            });
  }

  static Step concatFeatures(Op.ConcatFeatures op, float[] left, float[] right, float[] output) {
    int a = op.left().shape().last();
    int b = op.right().shape().last();
    return (pool, kernels) ->
        pool.run(
            (int) op.output().shape().rows(),
            op.output().shape().elements() / 4,
            (worker, row) -> {
              System.arraycopy(left, row * a, output, row * (a + b), a);
              System.arraycopy(right, row * b, output, row * (a + b) + a, b);
            });
  }

  static Step slice(Op.Slice op, float[] input, float[] output) {
    Shape in = op.input().shape();
    int inner = in.stride(op.axis());
    int taken = op.output().shape().extent(op.axis()) * inner;
    int stride = in.extent(op.axis()) * inner;
    int first = op.from() * inner;
    int count = (int) (op.output().shape().elements() / taken);
    return (pool, kernels) -> {
      for (int i = 0; i < count; i++) {
        System.arraycopy(input, first + i * stride, output, i * taken, taken);
      }
    };
  }

  /** The reverse of {@link #slice}: zeros around what was taken. */
  static Step pad(GradientOp.Pad op, float[] gradient, float[] output) {
    Shape out = op.output().shape();
    int inner = out.stride(op.axis());
    int given = op.gradient().shape().extent(op.axis()) * inner;
    int stride = out.extent(op.axis()) * inner;
    int first = op.from() * inner;
    int count = (int) (out.elements() / stride);
    return (pool, kernels) -> {
      Arrays.fill(output, 0, count * stride, 0f);
      for (int i = 0; i < count; i++) {
        System.arraycopy(gradient, i * given, output, first + i * stride, given);
      }
    };
  }

  /** Sums in double: a mean over a thousand tokens in float would lose three digits. */
  static Step meanTokens(Op.MeanTokens op, float[] input, float[] output) {
    int tokens = op.input().shape().extent(1);
    int hidden = op.input().shape().last();
    return (pool, kernels) ->
        pool.run(
            op.input().shape().extent(0),
            op.input().shape().elements(),
            (worker, image) -> {
              double[] sums = new double[hidden];
              for (int t = 0; t < tokens; t++) {
                int from = (image * tokens + t) * hidden;
                for (int i = 0; i < hidden; i++) {
                  sums[i] += input[from + i];
                }
              }
              for (int i = 0; i < hidden; i++) {
                output[image * hidden + i] = (float) (sums[i] / tokens);
              }
            });
  }
}
