package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@code y = x/√(mean(x²) + epsilon) · weight} over rows of {@code width} elements (Zhang and
 * Sennrich, arXiv:1910.07467).
 */
public final class RmsNorm {
  private RmsNorm() {}

  /** x and y are {@code [rows, width]}; one work-item a row. */
  public static void rows(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray y,
      int rows,
      int width,
      float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float inverse = inverseRoot(x, at, width, epsilon);
      for (int i = 0; i < width; i++) {
        y.set(at + i, x.get(at + i) * inverse * weight.get(i));
      }
    }
  }

  /**
   * The gradient of the input; one work-item a row. With x̂ the normalised row and g = dy·weight it
   * is {@code (g − x̂·mean(g·x̂))/√(mean(x²) + epsilon)}.
   *
   * @param inverses {@code [rows]}, receives the factor of each row for {@link #backwardWeight}
   */
  public static void backwardInput(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray dy,
      FloatArray dx,
      FloatArray inverses,
      int rows,
      int width,
      float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float inverse = inverseRoot(x, at, width, epsilon);
      float products = 0f;
      for (int i = 0; i < width; i++) {
        products += dy.get(at + i) * weight.get(i) * x.get(at + i) * inverse;
      }
      products = products / width;
      for (int i = 0; i < width; i++) {
        float g = dy.get(at + i) * weight.get(i);
        dx.set(at + i, (g - x.get(at + i) * inverse * products) * inverse);
      }
      inverses.set(row, inverse);
    }
  }

  /**
   * First stage of the gradient of the weight: sums over blocks of {@code block} rows, {@code
   * [parts, width]}; one work-item an element. {@link Reductions#sumRows} adds the parts up.
   */
  public static void backwardWeight(
      KernelContext context,
      FloatArray x,
      FloatArray dy,
      FloatArray inverses,
      FloatArray weightParts,
      int rows,
      int width,
      int block) {
    int item = context.globalIdx;
    int parts = (rows + block - 1) / block;
    if (item < parts * width) {
      int column = item % width;
      int from = item / width * block;
      int to = TornadoMath.min(from + block, rows);
      float sum = 0f;
      for (int row = from; row < to; row++) {
        sum += dy.get(row * width + column) * x.get(row * width + column) * inverses.get(row);
      }
      weightParts.set(item, sum);
    }
  }

  private static float inverseRoot(FloatArray x, int at, int width, float epsilon) {
    float squares = 0f;
    for (int i = 0; i < width; i++) {
      squares += x.get(at + i) * x.get(at + i);
    }
    return 1f / TornadoMath.sqrt(squares / width + epsilon);
  }
}
