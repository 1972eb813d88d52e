package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** {@code y = x / max(‖x‖₂, epsilon)} for rows {@code [rows, width]}; one work-item a row. */
public final class L2Norm {
  private L2Norm() {}

  public static void rows(
      KernelContext context, FloatArray x, FloatArray y, int rows, int width, float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float inverse = 1f / TornadoMath.max(length(x, at, width), epsilon);
      for (int i = 0; i < width; i++) {
        y.set(at + i, x.get(at + i) * inverse);
      }
    }
  }

  /** {@code (g − x̂·Σ g·x̂)/‖x‖}, or g/epsilon where the row is shorter than epsilon. */
  public static void backward(
      KernelContext context,
      FloatArray x,
      FloatArray dy,
      FloatArray dx,
      int rows,
      int width,
      float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float length = length(x, at, width);
      float inverse = 1f / TornadoMath.max(length, epsilon);
      float products = 0f;
      if (length > epsilon) {
        for (int i = 0; i < width; i++) {
          products += dy.get(at + i) * x.get(at + i) * inverse;
        }
      }
      for (int i = 0; i < width; i++) {
        dx.set(at + i, (dy.get(at + i) - x.get(at + i) * inverse * products) * inverse);
      }
    }
  }

  private static float length(FloatArray x, int at, int width) {
    float squares = 0f;
    for (int i = 0; i < width; i++) {
      squares += x.get(at + i) * x.get(at + i);
    }
    return TornadoMath.sqrt(squares);
  }
}
