package dev.tessera.image;

import java.util.Arrays;

/**
 * libjpeg's accurate integer inverse DCT ({@code jidctint.c}, after Loeffler, Ligtenberg and
 * Moschytz), with the 16-bit wrapping and saturation of libjpeg-turbo's SIMD version, which show on
 * damaged files only. Samples come out as signed bytes around 0, as the formulas have them: the
 * compiler makes vector instructions of loops over signed bytes, but not of loops over unsigned
 * ones.
 */
final class JpegTransform {
  private static final int CONST_BITS = 13;
  private static final int PASS1_BITS = 2;

  private static final int F_0_298 = 2446;
  private static final int F_0_390 = 3196;
  private static final int F_0_541 = 4433;
  private static final int F_0_765 = 6270;
  private static final int F_0_899 = 7373;
  private static final int F_1_175 = 9633;
  private static final int F_1_501 = 12299;
  private static final int F_1_847 = 15137;
  private static final int F_1_961 = 16069;
  private static final int F_2_053 = 16819;
  private static final int F_2_562 = 20995;
  private static final int F_3_072 = 25172;

  private JpegTransform() {}

  /** A block that is its DC coefficient alone. */
  static void flat(int coefficient, int step, byte[] out, int at, int stride) {
    int dc = (short) ((short) (coefficient * step) << PASS1_BITS);
    byte value = sample((dc + 16) >> 5);
    for (int y = 0; y < 8; y++, at += stride) {
      Arrays.fill(out, at, at + 8, value);
    }
  }

  /**
   * Dequantizes and transforms one block.
   *
   * @param in 64 coefficients from {@code from} on, in natural order
   * @param steps the quantizer
   * @param t scratch of 64
   */
  static void inverse(short[] in, int from, int[] steps, int[] t, byte[] out, int at, int stride) {
    for (int i = 0; i < 8; i++) {
      columnPass(in, from + i, steps, i, t);
    }
    for (int i = 0; i < 64; i += 8, at += stride) {
      rowPass(t, i, out, at);
    }
  }

  private static void columnPass(short[] in, int from, int[] steps, int i, int[] t) {
    int in1 = in[from + 8];
    int in2 = in[from + 16];
    int in3 = in[from + 24];
    int in4 = in[from + 32];
    int in5 = in[from + 40];
    int in6 = in[from + 48];
    int in7 = in[from + 56];
    int in0 = (short) (in[from] * steps[i]);
    if ((in1 | in2 | in3 | in4 | in5 | in6 | in7) == 0) {
      int dc = saturate(in0 << PASS1_BITS);
      t[i] = dc;
      t[i + 8] = dc;
      t[i + 16] = dc;
      t[i + 24] = dc;
      t[i + 32] = dc;
      t[i + 40] = dc;
      t[i + 48] = dc;
      t[i + 56] = dc;
      return;
    }
    in1 = (short) (in1 * steps[i + 8]);
    in2 = (short) (in2 * steps[i + 16]);
    in3 = (short) (in3 * steps[i + 24]);
    in4 = (short) (in4 * steps[i + 32]);
    in5 = (short) (in5 * steps[i + 40]);
    in6 = (short) (in6 * steps[i + 48]);
    in7 = (short) (in7 * steps[i + 56]);
    int even2 = in2 * F_0_541 + in6 * (F_0_541 - F_1_847);
    int even3 = in2 * (F_0_541 + F_0_765) + in6 * F_0_541;
    int even0 = (short) (in0 + in4) << CONST_BITS;
    int even1 = (short) (in0 - in4) << CONST_BITS;
    int z3 = (short) (in7 + in3);
    int z4 = (short) (in5 + in1);
    int y3 = z3 * (F_1_175 - F_1_961) + z4 * F_1_175;
    int y4 = z3 * F_1_175 + z4 * (F_1_175 - F_0_390);
    int odd0 = in7 * (F_0_298 - F_0_899) - in1 * F_0_899 + y3;
    int odd1 = in5 * (F_2_053 - F_2_562) - in3 * F_2_562 + y4;
    int odd2 = in3 * (F_3_072 - F_2_562) - in5 * F_2_562 + y3;
    int odd3 = in1 * (F_1_501 - F_0_899) - in7 * F_0_899 + y4;
    int shift = CONST_BITS - PASS1_BITS;
    int half = 1 << (shift - 1);
    int a = even0 + even3 + half;
    int b = even1 + even2 + half;
    int c = even1 - even2 + half;
    int d = even0 - even3 + half;
    t[i] = saturate((a + odd3) >> shift);
    t[i + 56] = saturate((a - odd3) >> shift);
    t[i + 8] = saturate((b + odd2) >> shift);
    t[i + 48] = saturate((b - odd2) >> shift);
    t[i + 16] = saturate((c + odd1) >> shift);
    t[i + 40] = saturate((c - odd1) >> shift);
    t[i + 24] = saturate((d + odd0) >> shift);
    t[i + 32] = saturate((d - odd0) >> shift);
  }

  private static void rowPass(int[] t, int i, byte[] out, int at) {
    int in0 = t[i];
    int in1 = t[i + 1];
    int in2 = t[i + 2];
    int in3 = t[i + 3];
    int in4 = t[i + 4];
    int in5 = t[i + 5];
    int in6 = t[i + 6];
    int in7 = t[i + 7];
    int even2 = in2 * F_0_541 + in6 * (F_0_541 - F_1_847);
    int even3 = in2 * (F_0_541 + F_0_765) + in6 * F_0_541;
    int even0 = (short) (in0 + in4) << CONST_BITS;
    int even1 = (short) (in0 - in4) << CONST_BITS;
    int z3 = (short) (in7 + in3);
    int z4 = (short) (in5 + in1);
    int y3 = z3 * (F_1_175 - F_1_961) + z4 * F_1_175;
    int y4 = z3 * F_1_175 + z4 * (F_1_175 - F_0_390);
    int odd0 = in7 * (F_0_298 - F_0_899) - in1 * F_0_899 + y3;
    int odd1 = in5 * (F_2_053 - F_2_562) - in3 * F_2_562 + y4;
    int odd2 = in3 * (F_3_072 - F_2_562) - in5 * F_2_562 + y3;
    int odd3 = in1 * (F_1_501 - F_0_899) - in7 * F_0_899 + y4;
    int shift = CONST_BITS + PASS1_BITS + 3;
    int half = 1 << (shift - 1);
    int a = even0 + even3 + half;
    int b = even1 + even2 + half;
    int c = even1 - even2 + half;
    int d = even0 - even3 + half;
    out[at] = sample((a + odd3) >> shift);
    out[at + 7] = sample((a - odd3) >> shift);
    out[at + 1] = sample((b + odd2) >> shift);
    out[at + 6] = sample((b - odd2) >> shift);
    out[at + 2] = sample((c + odd1) >> shift);
    out[at + 5] = sample((c - odd1) >> shift);
    out[at + 3] = sample((d + odd0) >> shift);
    out[at + 4] = sample((d - odd0) >> shift);
  }

  private static int saturate(int value) {
    return Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, value));
  }

  private static byte sample(int value) {
    return (byte) Math.max(-128, Math.min(127, value));
  }
}
