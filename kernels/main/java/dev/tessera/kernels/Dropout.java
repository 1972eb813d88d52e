package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Dropout (Srivastava et al., JMLR 15, 2014) and stochastic depth (Huang et al., arXiv:1603.09382)
 * by a counter-based generator: the finaliser of SplitMix64 (Steele et al., OOPSLA 2014).
 */
public final class Dropout {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Dropout() {}

  /**
   * Zeroes runs of {@code run} elements with probability {@code rate} and multiplies the others by
   * {@code kept}, which is {@code 1/(1 − rate)}; one work-item for each of {@code n} elements.
   *
   * @param seed {@code [2]}: two whole numbers below 2²⁴
   * @param salt tells dropouts of one seed apart
   */
  public static void runs(
      KernelContext context,
      FloatArray x,
      FloatArray seed,
      FloatArray y,
      int n,
      int run,
      int salt,
      float rate,
      float kept) {
    int i = context.globalIdx;
    if (i < n) {
      long index = i / run;
      long z = ((long) seed.get(0) << 24 | (long) seed.get(1)) * GOLDEN;
      z = mix(z + salt) + index * GOLDEN;
      float uniform = (int) (mix(z) >> 40 & 0xffffffL) * 0x1p-24f;
      float factor = kept;
      if (uniform < rate) {
        factor = 0f;
      }
      y.set(i, x.get(i) * factor);
    }
  }

  /** TornadoVM's shifts of longs are arithmetic, so the sign is masked away. */
  private static long mix(long value) {
    long z = (value ^ (value >> 30 & 0x3ffffffffL)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >> 27 & 0x1fffffffffL)) * 0x94D049BB133111EBL;
    return z ^ (z >> 31 & 0x1ffffffffL);
  }
}
