package dev.tessera.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** libjpeg's and Pillow's colour conversions, in their integer arithmetic. */
final class JpegColor {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int SCALE = 16;
  private static final int HALF = 1 << (SCALE - 1);
  private static final int[] RED_OF_CR = table(1.40200, HALF);
  private static final int[] BLUE_OF_CB = table(1.77200, HALF);
  private static final int[] GREEN_OF_CR = table(-0.71414, 0);
  private static final int[] GREEN_OF_CB = table(-0.34414, HALF);

  private JpegColor() {}

  private static int[] table(double factor, int rounding) {
    int fixed = (int) (Math.abs(factor) * (1 << SCALE) + 0.5);
    int[] table = new int[256];
    for (int i = 0; i < 256; i++) {
      table[i] = (factor < 0 ? -fixed : fixed) * (i - 128) + rounding;
    }
    return table;
  }

  static byte[] grayToRgb(byte[] gray) {
    byte[] rgb = new byte[3 * gray.length];
    for (int i = 0; i < gray.length; i++) {
      rgb[3 * i] = gray[i];
      rgb[3 * i + 1] = gray[i];
      rgb[3 * i + 2] = gray[i];
    }
    return rgb;
  }

  /** In place; after libjpeg's {@code jdcolor.c}. */
  static byte[] yccToRgb(byte[] samples) {
    for (int i = 0; i < samples.length; i += 3) {
      toRgb(samples, i, samples, i);
    }
    return samples;
  }

  /**
   * One line, from three lines of samples minus 128.
   *
   * @param scratch of at least {@code width}
   */
  static void yccToRgb(
      int[] luma, int[] blue, int[] red, int width, int[] scratch, byte[] rgb, int to) {
    // Nothing but int arithmetic, so that the compiler makes vector instructions of it.
    for (int x = 0; x < width; x++) {
      int y = (luma[x] << SCALE) + (128 << SCALE) + HALF;
      int cb = blue[x];
      int cr = red[x];
      int r = Math.max(0, Math.min(255, (y + 91881 * cr) >> SCALE));
      int g = Math.max(0, Math.min(255, (y - 22554 * cb - 46802 * cr) >> SCALE));
      int b = Math.max(0, Math.min(255, (y + 116130 * cb) >> SCALE));
      scratch[x] = r | g << 8 | b << 16;
    }
    // Four bytes at once; the next pixel overwrites the fourth.
    int last = to + 3 * (width - 1);
    for (int x = 0; to < last; x++, to += 3) {
      INTS.set(rgb, to, scratch[x]);
    }
    int pixel = scratch[width - 1];
    rgb[to] = (byte) pixel;
    rgb[to + 1] = (byte) (pixel >> 8);
    rgb[to + 2] = (byte) (pixel >> 16);
  }

  private static void toRgb(byte[] from, int at, byte[] to, int target) {
    int y = from[at] & 0xff;
    int cb = from[at + 1] & 0xff;
    int cr = from[at + 2] & 0xff;
    to[target] = clamp(y + (RED_OF_CR[cr] >> SCALE));
    to[target + 1] = clamp(y + ((GREEN_OF_CB[cb] + GREEN_OF_CR[cr]) >> SCALE));
    to[target + 2] = clamp(y + (BLUE_OF_CB[cb] >> SCALE));
  }

  private static byte clamp(int value) {
    return (byte) Math.max(0, Math.min(255, value));
  }

  /**
   * Four-component JPEG to RGB. Stored values count as inverted whether or not an Adobe marker says
   * so, as Pillow has it.
   *
   * @param ycck whether the first three are YCbCr of the complement (libjpeg's YCCK)
   */
  static byte[] cmykToRgb(byte[] samples, int pixels, boolean ycck) {
    byte[] rgb = new byte[3 * pixels];
    byte[] ink = new byte[4];
    for (int i = 0; i < pixels; i++) {
      int at = 4 * i;
      if (ycck) {
        toRgb(samples, at, ink, 0); // RGB is the complement of CMY, and so is what is stored
      } else {
        ink[0] = (byte) ~samples[at];
        ink[1] = (byte) ~samples[at + 1];
        ink[2] = (byte) ~samples[at + 2];
      }
      ink[3] = (byte) ~samples[at + 3];
      PillowPixels.cmykToRgb(ink, 0, rgb, 3 * i);
    }
    return rgb;
  }
}
