package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Stochastic gradient descent as PyTorch computes it; one work-item an element. */
public final class Sgd {
  private Sgd() {}

  /**
   * One step without momentum.
   *
   * @param norm {@code [2]}: what gradients are multiplied by is the second
   * @param schedule its first element is the learning rate
   * @param rateScale factor of the learning rate
   * @param decay weight decay, added to the gradient
   */
  public static void update(
      KernelContext context,
      FloatArray parameter,
      FloatArray gradient,
      FloatArray norm,
      FloatArray schedule,
      int n,
      float rateScale,
      float decay) {
    int i = context.globalIdx;
    if (i < n) {
      float p = parameter.get(i);
      float g = gradient.get(i) * norm.get(1) + decay * p;
      parameter.set(i, p - schedule.get(0) * rateScale * g);
    }
  }

  /**
   * One step with momentum: {@code v = momentum·v + g}, and the parameter goes along {@code own·g +
   * share·v}: along v with 0 and 1, along Nesterov's direction with 1 and the momentum.
   */
  public static void momentum(
      KernelContext context,
      FloatArray parameter,
      FloatArray gradient,
      FloatArray velocity,
      FloatArray norm,
      FloatArray schedule,
      int n,
      float momentum,
      float own,
      float share,
      float rateScale,
      float decay) {
    int i = context.globalIdx;
    if (i < n) {
      float p = parameter.get(i);
      float g = gradient.get(i) * norm.get(1) + decay * p;
      float v = momentum * velocity.get(i) + g;
      velocity.set(i, v);
      parameter.set(i, p - schedule.get(0) * rateScale * (own * g + share * v));
    }
  }
}
