package dev.tessera.image;

/** VP8's inverse transforms; RFC 6386, sections 14.3 and 14.4. */
final class Vp8Transform {
  private static final int STRIDE = 32;

  private Vp8Transform() {}

  /** Spreads the 16 second-order coefficients over the DC places of the 16 luma blocks. */
  static void inverseWalshHadamard(short[] in, int at, short[] out) {
    int[] t = new int[16];
    for (int i = 0; i < 4; i++) {
      int a0 = in[at + i] + in[at + 12 + i];
      int a1 = in[at + 4 + i] + in[at + 8 + i];
      int a2 = in[at + 4 + i] - in[at + 8 + i];
      int a3 = in[at + i] - in[at + 12 + i];
      t[i] = a0 + a1;
      t[8 + i] = a0 - a1;
      t[4 + i] = a3 + a2;
      t[12 + i] = a3 - a2;
    }
    for (int i = 0; i < 4; i++) {
      int dc = t[4 * i] + 3;
      int a0 = dc + t[4 * i + 3];
      int a1 = t[4 * i + 1] + t[4 * i + 2];
      int a2 = t[4 * i + 1] - t[4 * i + 2];
      int a3 = dc - t[4 * i + 3];
      out[64 * i] = (short) ((a0 + a1) >> 3);
      out[64 * i + 16] = (short) ((a3 + a2) >> 3);
      out[64 * i + 32] = (short) ((a0 - a1) >> 3);
      out[64 * i + 48] = (short) ((a3 - a2) >> 3);
    }
  }

  /**
   * Adds the inverse DCT of one block to the prediction at {@code to[target]}.
   *
   * @param t scratch of 16
   */
  static void addInverse(short[] in, int at, int[] t, byte[] to, int target) {
    int any = 0;
    for (int i = 1; i < 16; i++) {
      any |= in[at + i];
    }
    if (any == 0) {
      if (in[at] != 0) {
        addDc((in[at] + 4) >> 3, to, target);
      }
      return;
    }
    for (int i = 0; i < 4; i++) {
      int a = in[at + i] + in[at + 8 + i];
      int b = in[at + i] - in[at + 8 + i];
      int c = scaleSin(in[at + 4 + i]) - scaleCos(in[at + 12 + i]);
      int d = scaleCos(in[at + 4 + i]) + scaleSin(in[at + 12 + i]);
      t[4 * i] = a + d;
      t[4 * i + 1] = b + c;
      t[4 * i + 2] = b - c;
      t[4 * i + 3] = a - d;
    }
    for (int i = 0; i < 4; i++) {
      int dc = t[i] + 4;
      int a = dc + t[8 + i];
      int b = dc - t[8 + i];
      int c = scaleSin(t[4 + i]) - scaleCos(t[12 + i]);
      int d = scaleCos(t[4 + i]) + scaleSin(t[12 + i]);
      int row = target + i * STRIDE;
      to[row] = clamp((to[row] & 0xff) + ((a + d) >> 3));
      to[row + 1] = clamp((to[row + 1] & 0xff) + ((b + c) >> 3));
      to[row + 2] = clamp((to[row + 2] & 0xff) + ((b - c) >> 3));
      to[row + 3] = clamp((to[row + 3] & 0xff) + ((a - d) >> 3));
    }
  }

  private static void addDc(int dc, byte[] to, int target) {
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        int i = target + y * STRIDE + x;
        to[i] = clamp((to[i] & 0xff) + dc);
      }
    }
  }

  /** Times sqrt(2) cos(pi / 8) in 16-bit fixed point. */
  private static int scaleCos(int a) {
    return ((a * 20091) >> 16) + a;
  }

  /** Times sqrt(2) sin(pi / 8) in 16-bit fixed point. */
  private static int scaleSin(int a) {
    return (a * 35468) >> 16;
  }

  private static byte clamp(int value) {
    return (byte) Math.max(0, Math.min(255, value));
  }
}
