package dev.tessera.image;

/**
 * libwebp's way from VP8 planes to RGB: chroma interpolated with weights 9, 3, 3, 1 and ITU-R 601
 * studio range in fixed point; after its {@code upsampling.c} and {@code yuv.h}.
 */
final class Vp8Color {
  private Vp8Color() {}

  /**
   * @param stride of the luma plane; the chroma planes have half of it
   */
  static RgbImage toRgb(byte[] luma, byte[] blue, byte[] red, int stride, int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    int chromaRows = (height + 1) / 2;
    int chromaWidth = (width + 1) / 2;
    byte[] u = new byte[2 * chromaWidth];
    byte[] v = new byte[2 * chromaWidth];
    for (int y = 0; y < height; y++) {
      int near = y / 2;
      int far = Math.clamp(y % 2 == 0 ? near - 1 : near + 1, 0, chromaRows - 1);
      interpolate(blue, near * (stride / 2), far * (stride / 2), chromaWidth, width, u);
      interpolate(red, near * (stride / 2), far * (stride / 2), chromaWidth, width, v);
      int to = 3 * width * y;
      int from = stride * y;
      for (int x = 0; x < width; x++, to += 3) {
        convert(luma[from + x] & 0xff, u[x] & 0xff, v[x] & 0xff, rgb, to);
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** One line of chroma at full width between two rows of samples. */
  private static void interpolate(
      byte[] plane, int near, int far, int samples, int width, byte[] out) {
    int nearLeft = plane[near] & 0xff;
    int farLeft = plane[far] & 0xff;
    out[0] = (byte) ((3 * nearLeft + farLeft + 2) >> 2);
    for (int x = 1; x < samples; x++) {
      int nearRight = plane[near + x] & 0xff;
      int farRight = plane[far + x] & 0xff;
      int sum = nearLeft + nearRight + farLeft + farRight + 8;
      int falling = (sum + 2 * (nearRight + farLeft)) >> 3;
      int rising = (sum + 2 * (nearLeft + farRight)) >> 3;
      out[2 * x - 1] = (byte) ((falling + nearLeft) >> 1);
      out[2 * x] = (byte) ((rising + nearRight) >> 1);
      nearLeft = nearRight;
      farLeft = farRight;
    }
    if (width % 2 == 0) {
      out[width - 1] = (byte) ((3 * nearLeft + farLeft + 2) >> 2);
    }
  }

  private static void convert(int y, int u, int v, byte[] rgb, int to) {
    int scaled = (y * 19077) >> 8;
    rgb[to] = clip(scaled + ((v * 26149) >> 8) - 14234);
    rgb[to + 1] = clip(scaled - ((u * 6419) >> 8) - ((v * 13320) >> 8) + 8708);
    rgb[to + 2] = clip(scaled + ((u * 33050) >> 8) - 17685);
  }

  private static byte clip(int value) {
    return (byte) Math.max(0, Math.min(255, value >> 6));
  }
}
