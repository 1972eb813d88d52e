package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1) and AdamW, with decoupled weight decay
 * (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2).
 */
public final class Adam {
  private Adam() {}

  /**
   * One step; all arrays but the two that change from step to step are {@code [n]}; one work-item
   * an element.
   *
   * @param norm {@code [2]}: what gradients are multiplied by is the second
   * @param schedule {@code [3]}: learning rate, {@code 1 − beta1^step}, {@code 1 − beta2^step}
   * @param rateScale factor of the learning rate
   * @param shrinking decoupled weight decay
   * @param decay weight decay that is added to the gradient
   */
  public static void update(
      KernelContext context,
      FloatArray parameter,
      FloatArray gradient,
      FloatArray first,
      FloatArray second,
      FloatArray norm,
      FloatArray schedule,
      int n,
      float beta1,
      float beta2,
      float epsilon,
      float rateScale,
      float shrinking,
      float decay) {
    int i = context.globalIdx;
    if (i < n) {
      float rate = schedule.get(0) * rateScale;
      float p = parameter.get(i);
      float g = gradient.get(i) * norm.get(1) + decay * p;
      float m = beta1 * first.get(i) + (1f - beta1) * g;
      float s = beta2 * second.get(i) + (1f - beta2) * g * g;
      first.set(i, m);
      second.set(i, s);
      float deviation = TornadoMath.sqrt(s / schedule.get(2)) + epsilon;
      parameter.set(i, p * (1f - rate * shrinking) - rate * (m / schedule.get(1)) / deviation);
    }
  }
}
