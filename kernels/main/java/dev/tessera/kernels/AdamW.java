package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Adam with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2). */
public final class AdamW {
  /** Places in {@code control}, which changes from step to step and so cannot be a constant. */
  public static final int LEARNING_RATE = 0;

  public static final int BETA1 = 1;
  public static final int BETA2 = 2;
  public static final int EPSILON = 3;
  public static final int WEIGHT_DECAY = 4;

  /** 1 − beta1^step and 1 − beta2^step. */
  public static final int CORRECTION1 = 5;

  public static final int CORRECTION2 = 6;

  /** What gradients are multiplied by first: 1, or less where their norm is clipped. */
  public static final int GRADIENT_SCALE = 7;

  /** Elements of {@code control}. */
  public static final int CONTROL = 8;

  private AdamW() {}

  /** One step; all arrays but control are {@code [n]}; one work-item an element. */
  public static void step(
      KernelContext context,
      FloatArray parameter,
      FloatArray gradient,
      FloatArray first,
      FloatArray second,
      FloatArray control,
      int n) {
    int i = context.globalIdx;
    if (i < n) {
      float rate = control.get(LEARNING_RATE);
      float beta1 = control.get(BETA1);
      float beta2 = control.get(BETA2);
      float g = gradient.get(i) * control.get(GRADIENT_SCALE);
      float m = beta1 * first.get(i) + (1f - beta1) * g;
      float s = beta2 * second.get(i) + (1f - beta2) * g * g;
      first.set(i, m);
      second.set(i, s);
      float deviation = TornadoMath.sqrt(s / control.get(CORRECTION2)) + control.get(EPSILON);
      float kept = parameter.get(i) * (1f - rate * control.get(WEIGHT_DECAY));
      parameter.set(i, kept - rate * (m / control.get(CORRECTION1)) / deviation);
    }
  }
}
