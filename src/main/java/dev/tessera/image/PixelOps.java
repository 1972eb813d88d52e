package dev.tessera.image;

import java.util.function.IntUnaryOperator;

/**
 * Changes of colour as Pillow's {@code ImageOps} and {@code ImageEnhance} and torchvision's {@code
 * adjust_hue} make them, byte for byte. Each gives a new image.
 */
final class PixelOps {
  private static final int LEVELS = 256;

  private PixelOps() {}

  /** Every sample through one table. */
  static RgbImage map(RgbImage image, IntUnaryOperator level) {
    byte[] table = new byte[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
      table[i] = (byte) level.applyAsInt(i);
    }
    return map(image, new byte[][] {table, table, table});
  }

  private static RgbImage map(RgbImage image, byte[][] tables) {
    byte[] source = image.pixels();
    byte[] target = new byte[source.length];
    for (int i = 0; i < source.length; i += 3) {
      target[i] = tables[0][source[i] & 0xff];
      target[i + 1] = tables[1][source[i + 1] & 0xff];
      target[i + 2] = tables[2][source[i + 2] & 0xff];
    }
    return new RgbImage(image.width(), image.height(), target);
  }

  static RgbImage invert(RgbImage image) {
    return map(image, level -> 255 - level);
  }

  /** Inverts samples of at least {@code threshold}. */
  static RgbImage solarize(RgbImage image, int threshold) {
    return map(image, level -> level < threshold ? level : 255 - level);
  }

  /** Adds to samples below 128. */
  static RgbImage solarizeAdd(RgbImage image, int add) {
    return map(image, level -> level < 128 ? Math.min(255, level + add) : level);
  }

  /** Keeps the highest {@code bits} bits of each sample, from 0 to 8. */
  static RgbImage posterize(RgbImage image, int bits) {
    return map(image, level -> level & -(1 << (8 - bits)));
  }

  /** Stretches each channel to 0 to 255. */
  static RgbImage autoContrast(RgbImage image) {
    byte[][] tables = new byte[3][];
    for (int c = 0; c < 3; c++) {
      int[] histogram = histogram(image, c);
      int low = 0;
      int high = LEVELS - 1;
      while (histogram[low] == 0) {
        low++;
      }
      while (histogram[high] == 0) {
        high--;
      }
      double scale = high > low ? 255.0 / (high - low) : 1;
      double offset = high > low ? -low * scale : 0;
      tables[c] = new byte[LEVELS];
      for (int i = 0; i < LEVELS; i++) {
        tables[c][i] = (byte) Math.clamp((int) (i * scale + offset), 0, 255);
      }
    }
    return map(image, tables);
  }

  /** Spreads each channel's samples evenly over 0 to 255. */
  static RgbImage equalize(RgbImage image) {
    byte[][] tables = new byte[3][];
    for (int c = 0; c < 3; c++) {
      int[] histogram = histogram(image, c);
      int last = LEVELS - 1;
      while (histogram[last] == 0) {
        last--;
      }
      int step = (image.width() * image.height() - histogram[last]) / 255;
      tables[c] = new byte[LEVELS];
      for (int i = 0, n = step / 2; i < LEVELS; n += histogram[i++]) {
        tables[c][i] = (byte) (step == 0 ? i : Math.min(255, n / step));
      }
    }
    return map(image, tables);
  }

  private static int[] histogram(RgbImage image, int channel) {
    int[] histogram = new int[LEVELS];
    byte[] pixels = image.pixels();
    for (int i = channel; i < pixels.length; i += 3) {
      histogram[pixels[i] & 0xff]++;
    }
    return histogram;
  }

  /** From black (0) over the image (1) to brighter. */
  static RgbImage brightness(RgbImage image, double factor) {
    return map(image, level -> blend(0, level, (float) factor));
  }

  /** From the mean gray (0) over the image (1) to more contrast. */
  static RgbImage contrast(RgbImage image, double factor) {
    byte[] gray = image.toGray().pixels();
    long sum = 0;
    for (int i = 0; i < gray.length; i += 3) {
      sum += gray[i] & 0xff;
    }
    int mean = (int) (sum / (gray.length / 3.0) + 0.5);
    return map(image, level -> blend(mean, level, (float) factor));
  }

  /** From gray (0) over the image (1) to more colour. */
  static RgbImage saturation(RgbImage image, double factor) {
    return blend(image.toGray(), image, (float) factor);
  }

  /** From smooth (0) over the image (1) to sharper. */
  static RgbImage sharpness(RgbImage image, double factor) {
    return blend(smooth(image), image, (float) factor);
  }

  /** Pillow's {@code ImageFilter.SMOOTH}: weights 1 around 5, all by 13; the edge stays. */
  private static RgbImage smooth(RgbImage image) {
    int stride = 3 * image.width();
    byte[] source = image.pixels();
    byte[] target = source.clone();
    for (int y = 1; y < image.height() - 1; y++) {
      for (int i = y * stride + 3; i < (y + 1) * stride - 3; i++) {
        int sum = 4 * (source[i] & 0xff);
        for (int row = i - stride; row <= i + stride; row += stride) {
          sum += (source[row - 3] & 0xff) + (source[row] & 0xff) + (source[row + 3] & 0xff);
        }
        target[i] = (byte) ((2 * sum + 13) / 26);
      }
    }
    return new RgbImage(image.width(), image.height(), target);
  }

  private static RgbImage blend(RgbImage from, RgbImage to, float share) {
    byte[] first = from.pixels();
    byte[] second = to.pixels();
    byte[] target = new byte[first.length];
    for (int i = 0; i < target.length; i++) {
      target[i] = (byte) blend(first[i] & 0xff, second[i] & 0xff, share);
    }
    return new RgbImage(from.width(), from.height(), target);
  }

  /** Truncated, in single precision. */
  private static int blend(int from, int to, float share) {
    return (int) Math.clamp(from + share * (to - from), 0f, 255f);
  }

  /**
   * Turns the hue.
   *
   * @param turn part of a whole turn, from -0.5 to 0.5
   */
  static RgbImage hue(RgbImage image, double turn) {
    int shift = (int) (turn * 255);
    byte[] source = image.pixels();
    byte[] target = new byte[source.length];
    for (int i = 0; i < source.length; i += 3) {
      int red = source[i] & 0xff;
      int green = source[i + 1] & 0xff;
      int blue = source[i + 2] & 0xff;
      int value = Math.max(red, Math.max(green, blue));
      int range = value - Math.min(red, Math.min(green, blue));
      int hue = range == 0 ? 0 : hue(red, green, blue, value, range);
      int saturation = range == 0 ? 0 : (int) ((float) range / value * 255.0);
      store(target, i, (hue + shift) & 0xff, saturation, value);
    }
    return new RgbImage(image.width(), image.height(), target);
  }

  /** Pillow's {@code rgb2hsv_row}, in its precisions. */
  private static int hue(int red, int green, int blue, int value, int range) {
    float toRed = (float) (value - red) / range;
    float toGreen = (float) (value - green) / range;
    float toBlue = (float) (value - blue) / range;
    float sixths;
    if (red == value) {
      sixths = toBlue - toGreen;
    } else if (green == value) {
      sixths = (float) (2.0 + toRed - toBlue);
    } else {
      sixths = (float) (4.0 + toGreen - toRed);
    }
    float turn = (float) ((sixths / 6.0 + 1.0) % 1.0);
    return (int) (turn * 255.0);
  }

  /** Pillow's {@code hsv2rgb}. */
  private static void store(byte[] target, int at, int hue, int saturation, int value) {
    double sixths = hue * 6.0 / 255.0;
    int sector = (int) sixths;
    float rest = (float) (sixths - sector);
    float part = (float) (saturation / 255.0);
    byte v = (byte) value;
    byte p = (byte) Math.round(value * (1.0 - part));
    byte q = (byte) Math.round(value * (1.0 - part * rest));
    byte t = (byte) Math.round(value * (1.0 - part * (1.0 - rest)));
    byte[] rgb =
        switch (sector % 6) {
          case 0 -> new byte[] {v, t, p};
          case 1 -> new byte[] {q, v, p};
          case 2 -> new byte[] {p, v, t};
          case 3 -> new byte[] {p, q, v};
          case 4 -> new byte[] {t, p, v};
          default -> new byte[] {v, p, q};
        };
    System.arraycopy(rgb, 0, target, at, 3);
  }
}
