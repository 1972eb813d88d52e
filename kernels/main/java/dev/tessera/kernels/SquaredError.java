package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** The squared error {@code (x − target)²} and its gradient; one work-item an element. */
public final class SquaredError {
  private SquaredError() {}

  /** {@code y[i] = factor·(x[i] − target[i])²}. */
  public static void losses(
      KernelContext context, FloatArray x, FloatArray target, FloatArray y, int n, float factor) {
    int i = context.globalIdx;
    if (i < n) {
      float distance = x.get(i) - target.get(i);
      y.set(i, factor * distance * distance);
    }
  }

  /**
   * {@code dx[i] = 2·factor·(x[i] − target[i])·dy}.
   *
   * @param dy {@code [1]}, the gradient of the losses' sum
   */
  public static void backward(
      KernelContext context,
      FloatArray x,
      FloatArray target,
      FloatArray dy,
      FloatArray dx,
      int n,
      float factor) {
    int i = context.globalIdx;
    if (i < n) {
      dx.set(i, 2f * factor * (x.get(i) - target.get(i)) * dy.get(0));
    }
  }
}
