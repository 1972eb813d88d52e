package dev.tessera.image;

/** Pillow's mode conversions to RGB, after its {@code src/libImaging/Convert.c}. */
final class PillowPixels {
  private PillowPixels() {}

  /** Plain CMYK without a profile: {@code R = (1 - K) - C (1 - K)} in 8-bit arithmetic. */
  static void cmykToRgb(byte[] from, int at, byte[] to, int target) {
    int white = 255 - (from[at + 3] & 0xff);
    for (int c = 0; c < 3; c++) {
      to[target + c] = (byte) Math.clamp(white - mulDiv255(from[at + c] & 0xff, white), 0, 255);
    }
  }

  private static int mulDiv255(int a, int b) {
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
  }

  /** Every index replaced by its colour; a palette is 256 RGB triples. */
  static byte[] expand(byte[] indices, byte[] palette) {
    byte[] rgb = new byte[3 * indices.length];
    for (int i = 0; i < indices.length; i++) {
      int from = 3 * (indices[i] & 0xff);
      rgb[3 * i] = palette[from];
      rgb[3 * i + 1] = palette[from + 1];
      rgb[3 * i + 2] = palette[from + 2];
    }
    return rgb;
  }

  /** What stands for a palette where there is none: index i is the gray i. */
  static byte[] grayPalette() {
    byte[] palette = new byte[768];
    for (int i = 0; i < palette.length; i++) {
      palette[i] = (byte) (i / 3);
    }
    return palette;
  }
}
