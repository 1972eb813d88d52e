package dev.tessera.image;

/**
 * Pillow's {@code Image.transform} with an affine map, byte for byte: the pixel at (x, y) is that
 * of the source at ({@code a x + b y + c}, {@code d x + e y + f}), measured to pixel centres and
 * interpolated without antialiasing. After Pillow's {@code src/libImaging/Geometry.c}.
 */
record Affine(double a, double b, double c, double d, double e, double f) {
  static Affine shearX(double factor) {
    return new Affine(1, factor, 0, 0, 1, 0);
  }

  static Affine shearY(double factor) {
    return new Affine(1, 0, 0, factor, 1, 0);
  }

  static Affine translate(double right, double down) {
    return new Affine(1, 0, right, 0, 1, down);
  }

  /** Counter-clockwise about the middle, as {@code Image.rotate}. */
  static Affine rotate(double degrees, int width, int height) {
    double angle = -Math.toRadians(degrees);
    double cos = Math.rint(StrictMath.cos(angle) * 1e15) / 1e15;
    double sin = Math.rint(StrictMath.sin(angle) * 1e15) / 1e15;
    double x = width / 2.0;
    double y = height / 2.0;
    return new Affine(cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y);
  }

  /**
   * The transformed image, of the same size.
   *
   * @param fill RGB of what comes from outside
   */
  RgbImage apply(RgbImage image, boolean bicubic, byte[] fill) {
    int width = image.width();
    int height = image.height();
    byte[] target = new byte[3 * width * height];
    for (int y = 0, to = 0; y < height; y++) {
      for (int x = 0; x < width; x++, to += 3) {
        double sourceX = a * (x + 0.5) + b * (y + 0.5) + c;
        double sourceY = d * (x + 0.5) + e * (y + 0.5) + f;
        if (sourceX < 0 || sourceX >= width || sourceY < 0 || sourceY >= height) {
          target[to] = fill[0];
          target[to + 1] = fill[1];
          target[to + 2] = fill[2];
        } else if (bicubic) {
          bicubic(image, sourceX - 0.5, sourceY - 0.5, target, to);
        } else {
          bilinear(image, sourceX - 0.5, sourceY - 0.5, target, to);
        }
      }
    }
    return new RgbImage(width, height, target);
  }

  private static void bilinear(RgbImage image, double x, double y, byte[] target, int to) {
    int width = image.width();
    int left = floor(x);
    int top = floor(y);
    double right = x - left;
    double down = y - top;
    int x0 = 3 * Math.clamp(left, 0, width - 1);
    int x1 = 3 * Math.clamp(left + 1, 0, width - 1);
    int y0 = 3 * width * Math.clamp(top, 0, image.height() - 1);
    int y1 = top + 1 < image.height() ? 3 * width * (top + 1) : y0;
    byte[] pixels = image.pixels();
    for (int c = 0; c < 3; c++) {
      double above = mix(pixels[y0 + x0 + c] & 0xff, pixels[y0 + x1 + c] & 0xff, right);
      double below = mix(pixels[y1 + x0 + c] & 0xff, pixels[y1 + x1 + c] & 0xff, right);
      target[to + c] = (byte) (int) mix(above, below, down);
    }
  }

  private static double mix(double from, double to, double share) {
    return from + (to - from) * share;
  }

  private static void bicubic(RgbImage image, double x, double y, byte[] target, int to) {
    int width = image.width();
    int height = image.height();
    int left = floor(x);
    int top = floor(y);
    double right = x - left;
    double down = y - top;
    int x0 = 3 * Math.clamp(left - 1, 0, width - 1);
    int x1 = 3 * Math.clamp(left, 0, width - 1);
    int x2 = 3 * Math.clamp(left + 1, 0, width - 1);
    int x3 = 3 * Math.clamp(left + 2, 0, width - 1);
    byte[] pixels = image.pixels();
    for (int c = 0; c < 3; c++) {
      // A row outside repeats the row before it, not the nearest one inside.
      double[] rows = new double[4];
      for (int k = 0; k < 4; k++) {
        int row = k == 0 ? Math.clamp(top - 1, 0, height - 1) : top - 1 + k;
        if (row < 0 || row >= height) {
          rows[k] = rows[k - 1];
        } else {
          int at = 3 * width * row + c;
          rows[k] =
              cubic(
                  pixels[at + x0] & 0xff,
                  pixels[at + x1] & 0xff,
                  pixels[at + x2] & 0xff,
                  pixels[at + x3] & 0xff,
                  right);
        }
      }
      double value = cubic(rows[0], rows[1], rows[2], rows[3], down);
      target[to + c] = (byte) (int) Math.clamp(value, 0.0, 255.0);
    }
  }

  /** Keys' cubic convolution with a = -1. */
  private static double cubic(double v1, double v2, double v3, double v4, double d) {
    double p2 = -v1 + v3;
    double p3 = 2 * (v1 - v2) + v3 - v4;
    double p4 = -v1 + v2 - v3 + v4;
    return v2 + d * (p2 + d * (p3 + d * p4));
  }

  private static int floor(double value) {
    return (int) Math.floor(value);
  }
}
