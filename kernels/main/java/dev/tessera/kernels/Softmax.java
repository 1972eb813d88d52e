package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Softmax and its logarithm over rows {@code [rows, width]}; one work-item a row. */
public final class Softmax {
  private Softmax() {}

  /** {@code exp(x − max) / Σ exp(x − max)}. */
  public static void rows(KernelContext context, FloatArray x, FloatArray y, int rows, int width) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float max = max(x, at, width);
      float inverse = 1f / sum(x, at, width, max);
      for (int i = 0; i < width; i++) {
        y.set(at + i, TornadoMath.exp(x.get(at + i) - max) * inverse);
      }
    }
  }

  /** {@code x − max − ln Σ exp(x − max)}. */
  public static void logRows(
      KernelContext context, FloatArray x, FloatArray y, int rows, int width) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float max = max(x, at, width);
      float logSum = TornadoMath.log(sum(x, at, width, max));
      for (int i = 0; i < width; i++) {
        y.set(at + i, x.get(at + i) - max - logSum);
      }
    }
  }

  /** The gradient of {@link #rows} from its result p: {@code p·(g − Σ p·g)}. */
  public static void backward(
      KernelContext context, FloatArray p, FloatArray dy, FloatArray dx, int rows, int width) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float products = 0f;
      for (int i = 0; i < width; i++) {
        products += p.get(at + i) * dy.get(at + i);
      }
      for (int i = 0; i < width; i++) {
        dx.set(at + i, p.get(at + i) * (dy.get(at + i) - products));
      }
    }
  }

  /** The gradient of {@link #logRows} from its result l: {@code g − exp(l)·Σ g}. */
  public static void logBackward(
      KernelContext context, FloatArray logs, FloatArray dy, FloatArray dx, int rows, int width) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float gradients = 0f;
      for (int i = 0; i < width; i++) {
        gradients += dy.get(at + i);
      }
      for (int i = 0; i < width; i++) {
        dx.set(at + i, dy.get(at + i) - TornadoMath.exp(logs.get(at + i)) * gradients);
      }
    }
  }

  static float max(FloatArray x, int at, int n) {
    float max = x.get(at);
    for (int i = 1; i < n; i++) {
      max = TornadoMath.max(max, x.get(at + i));
    }
    return max;
  }

  static float sum(FloatArray x, int at, int n, float max) {
    float sum = 0f;
    for (int i = 0; i < n; i++) {
      sum += TornadoMath.exp(x.get(at + i) - max);
    }
    return sum;
  }
}
