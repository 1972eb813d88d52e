package dev.tessera.image;

/**
 * Netpbm's PBM, PGM and PPM, plain and raw, with Pillow's scaling of unusual maximum values: to
 * 255, or for gray with more than 8 bits to 65535, then clipped as all 16-bit gray.
 */
final class PnmReader {
  private final byte[] data;
  private int at = 2;

  private PnmReader(byte[] data) {
    this.data = data;
  }

  static RgbImage read(byte[] data, Limits limits) throws ImageException {
    PnmReader reader = new PnmReader(data);
    return reader.read(data[1] - '0', limits);
  }

  private RgbImage read(int kind, Limits limits) throws ImageException {
    int width = number();
    int height = number();
    limits.check(width, height);
    boolean bits = kind == 1 || kind == 4;
    int maximum = bits ? 1 : number();
    if (maximum < 1 || maximum > 65535) {
      throw new ImageException("has a PNM maximum value of %d".formatted(maximum));
    }
    int channels = kind == 3 || kind == 6 ? 3 : 1;
    boolean raw = kind >= 4;
    long samples = (long) width * height * channels;
    long rowBytes = kind == 4 ? (width + 7) / 8 : (long) width * channels * (maximum > 255 ? 2 : 1);
    if (raw ? rowBytes * height > data.length - at : samples > data.length - at) {
      throw truncated();
    }
    byte[] rgb = new byte[3 * width * height];
    byte[] levels = new byte[maximum + 1];
    int top = channels == 1 && maximum > 255 ? 65535 : 255;
    for (int i = 0; i <= maximum; i++) {
      levels[i] = (byte) Math.min(255, Math.rint((double) i / maximum * top));
    }
    int start = at;
    int to = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width * channels; x++) {
        int value;
        if (kind == 4) {
          value = 1 - (data[start + y * (int) rowBytes + (x >> 3)] >> (7 - (x & 7)) & 1);
        } else if (kind == 1) {
          value = 1 - digit();
        } else if (!raw) {
          value = number();
        } else if (maximum > 255) {
          value = (data[at] & 0xff) << 8 | data[at + 1] & 0xff;
          at += 2;
        } else {
          value = data[at++] & 0xff;
        }
        if (value > maximum) {
          if (!raw) {
            throw new ImageException("is damaged: it has a PNM value above its maximum");
          }
          value = maximum;
        }
        rgb[to++] = levels[value];
        if (channels == 1) {
          rgb[to++] = levels[value];
          rgb[to++] = levels[value];
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }

  private static ImageException truncated() {
    return new ImageException("is truncated: its PNM data ends early");
  }

  /** Skips white space and comments to the next character of a value. */
  private void skip() throws ImageException {
    while (true) {
      if (at >= data.length) {
        throw truncated();
      }
      if (data[at] == '#') {
        while (at < data.length && data[at] != '\n' && data[at] != '\r') {
          at++;
        }
      } else if (!space(data[at])) {
        return;
      }
      at++;
    }
  }

  private static boolean space(byte b) {
    return b == ' ' || (b >= 9 && b <= 13);
  }

  /** A decimal number and the one white space after it. */
  private int number() throws ImageException {
    skip();
    int value = 0;
    int digits = 0;
    while (at < data.length && !space(data[at])) {
      int digit = data[at++] - '0';
      if (digit < 0 || digit > 9 || ++digits > 9) {
        throw new ImageException("is damaged: it has an invalid PNM number");
      }
      value = 10 * value + digit;
    }
    at++;
    return value;
  }

  /** One 0 or 1; plain bitmaps need no space between them. */
  private int digit() throws ImageException {
    skip();
    int digit = data[at++] - '0';
    if (digit < 0 || digit > 1) {
      throw new ImageException("is damaged: it has an invalid PNM number");
    }
    return digit;
  }
}
