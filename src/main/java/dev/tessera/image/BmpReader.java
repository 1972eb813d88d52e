package dev.tessera.image;

/**
 * Windows and OS/2 bitmaps, after Pillow's {@code BmpImagePlugin}: 1, 4, 8, 16, 24 and 32 bits, bit
 * fields, run lengths, either way up. Read here because the JDK's reader loads colour profiles and
 * delegates embedded JPEG and PNG.
 */
final class BmpReader {
  private static final int RLE8 = 1;
  private static final int RLE4 = 2;
  private static final int BITFIELDS = 3;

  private final Bytes bytes;
  private final int width;
  private final int height;
  private final boolean topDown;
  private final byte[] rgb;

  private BmpReader(Bytes bytes, int width, int height, boolean topDown) {
    this.bytes = bytes;
    this.width = width;
    this.height = height;
    this.topDown = topDown;
    this.rgb = new byte[3 * width * height];
  }

  static RgbImage read(byte[] data, Limits limits) throws ImageException {
    Bytes bytes = new Bytes(data, false);
    long offset = bytes.u32(10);
    long headerSize = bytes.u32(14);
    boolean os2 = headerSize == 12;
    if (!os2 && (headerSize < 40 || headerSize > 124)) {
      throw new ImageException("has a BMP header of an unknown kind");
    }
    long width = os2 ? bytes.u16(18) : bytes.u32(18);
    boolean topDown = !os2 && bytes.u8(25) == 0xff;
    long height = os2 ? bytes.u16(20) : topDown ? (1L << 32) - bytes.u32(22) : bytes.u32(22);
    limits.check(width, height);
    int bits = bytes.u16(os2 ? 24 : 28);
    long compression = os2 ? 0 : bytes.u32(30);
    long colors = os2 ? 0 : bytes.u32(46);
    if (colors == 0) {
      colors = 1L << Math.min(bits, 32);
    }
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
      throw new ImageException("is a BMP file with %d bits per pixel".formatted(bits));
    }
    boolean runs = compression == RLE8 || compression == RLE4;
    if (compression > BITFIELDS || (runs && bits > 8)) {
      throw new ImageException(
          "is a BMP file with compression %d, which is not supported".formatted(compression));
    }
    int entry = os2 ? 3 : 4;
    long paletteAt = 14 + headerSize;
    Layout layout = Layout.of(bits, compression == BITFIELDS, bytes, headerSize);
    if (bits <= 8) {
      if (colors > 65536) {
        throw new ImageException("is a BMP file with a palette of %d colours".formatted(colors));
      }
      if (offset == 0 || offset == 14 + headerSize) {
        offset = paletteAt + entry * colors;
      }
    } else if (offset == 0) {
      offset = paletteAt + (compression == BITFIELDS && headerSize == 40 ? 12 : 0);
    }
    long rowBytes = (width * bits + 31) / 32 * 4;
    if (!runs && offset + rowBytes * (height - 1) + (width * bits + 7) / 8 > data.length) {
      throw new ImageException("is truncated: its BMP data ends early");
    }
    if (runs) {
      Limits.checkDensity(width * height, data.length, 1 << 14);
    }
    BmpReader reader = new BmpReader(bytes, (int) width, (int) height, topDown);
    if (bits <= 8) {
      byte[] palette = reader.palette(paletteAt, entry, (int) colors);
      if (runs) {
        reader.readRuns((int) offset, compression == RLE4, palette);
      } else {
        reader.readIndexed(offset, rowBytes, bits, palette);
      }
    } else {
      reader.readDirect(offset, rowBytes, layout);
    }
    return new RgbImage(reader.width, reader.height, reader.rgb);
  }

  private byte[] palette(long at, int entry, int colors) {
    byte[] palette = new byte[768];
    byte[] data = bytes.data();
    for (int i = 0; i < Math.min(colors, 256); i++) {
      long from = at + (long) i * entry;
      if (from + 3 > data.length) {
        break;
      }
      for (int c = 0; c < 3; c++) {
        palette[3 * i + c] = data[(int) from + 2 - c];
      }
    }
    return palette;
  }

  private int target(int row) {
    return 3 * width * (topDown ? row : height - 1 - row);
  }

  private void readIndexed(long offset, long rowBytes, int bits, byte[] palette) {
    byte[] data = bytes.data();
    int mask = (1 << bits) - 1;
    for (int y = 0; y < height; y++) {
      int row = (int) (offset + y * rowBytes);
      int to = target(y);
      for (int x = 0; x < width; x++, to += 3) {
        int bit = x * bits;
        int index = (data[row + (bit >> 3)] & 0xff) >> (8 - bits - (bit & 7)) & mask;
        System.arraycopy(palette, 3 * index, rgb, to, 3);
      }
    }
  }

  private void readDirect(long offset, long rowBytes, Layout layout) throws ImageException {
    for (int y = 0; y < height; y++) {
      long from = offset + y * rowBytes;
      int to = target(y);
      for (int x = 0; x < width; x++, to += 3, from += layout.size) {
        if (layout.size == 2) {
          int pixel = bytes.u16(from);
          int greenMax = layout.green == 6 ? 63 : 31;
          rgb[to] = (byte) ((pixel >> (5 + layout.green) & 31) * 255 / 31);
          rgb[to + 1] = (byte) ((pixel >> 5 & greenMax) * 255 / greenMax);
          rgb[to + 2] = (byte) ((pixel & 31) * 255 / 31);
        } else {
          byte[] data = bytes.data();
          rgb[to] = data[(int) from + layout.red];
          rgb[to + 1] = data[(int) from + layout.green];
          rgb[to + 2] = data[(int) from + layout.blue];
        }
      }
    }
  }

  /** Run lengths as Pillow's {@code BmpRleDecoder} reads them, cut rows and deltas included. */
  private void readRuns(int offset, boolean nibbles, byte[] palette) throws ImageException {
    byte[] data = bytes.data();
    byte[] indices = new byte[width * height];
    int filled = 0;
    int x = 0;
    int at = offset;
    while (filled < indices.length && at + 2 <= data.length) {
      int count = data[at] & 0xff;
      int value = data[at + 1] & 0xff;
      at += 2;
      if (count > 0) {
        count = Math.min(count, Math.max(0, width - x));
        for (int i = 0; i < count && filled < indices.length; i++) {
          indices[filled++] = (byte) (!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
        }
        x += count;
      } else if (value == 0) {
        filled = Math.min(indices.length, (filled + width - 1) / width * width);
        x = 0;
      } else if (value == 1) {
        break;
      } else if (value == 2) {
        if (at + 2 > data.length) {
          break;
        }
        long skip = (data[at] & 0xff) + (long) (data[at + 1] & 0xff) * width;
        filled = (int) Math.min(indices.length, filled + skip);
        x = filled % width;
        at += 2;
      } else {
        int size = nibbles ? value / 2 : value;
        for (int i = 0; i < size && at < data.length; i++, at++) {
          int b = data[at] & 0xff;
          if (nibbles && filled < indices.length) {
            indices[filled++] = (byte) (b >> 4);
          }
          if (filled < indices.length) {
            indices[filled++] = (byte) (nibbles ? b & 15 : b);
          }
        }
        x += value;
        at += at & 1;
      }
    }
    if (filled < indices.length && at >= data.length) {
      throw new ImageException("is truncated: its BMP data ends early");
    }
    byte[] colors = PillowPixels.expand(indices, palette);
    for (int y = 0; y < height; y++) {
      System.arraycopy(colors, 3 * width * y, rgb, target(y), 3 * width);
    }
  }

  /**
   * Where the colours of a pixel are.
   *
   * @param size bytes of a pixel
   * @param green byte of green, or its number of bits where size is 2
   */
  private record Layout(int size, int red, int green, int blue) {
    static Layout of(int bits, boolean fields, Bytes bytes, long headerSize) throws ImageException {
      if (bits <= 8) {
        return new Layout(1, 0, 0, 0);
      }
      if (!fields) {
        return bits == 16 ? new Layout(2, 0, 5, 0) : new Layout(bits / 8, 2, 1, 0);
      }
      long red = bytes.u32(54);
      long green = bytes.u32(58);
      long blue = bytes.u32(62);
      if (bits == 16 && blue == 0x1f) {
        if (red == 0xf800 && green == 0x7e0) {
          return new Layout(2, 0, 6, 0);
        } else if (red == 0x7c00 && green == 0x3e0) {
          return new Layout(2, 0, 5, 0);
        }
      } else if (bits >= 24) {
        if (red == 0 && green == 0 && blue == 0) {
          return new Layout(bits / 8, 2, 1, 0);
        }
        int r = byteOf(red, bits);
        int g = byteOf(green, bits);
        int b = byteOf(blue, bits);
        if (r >= 0 && g >= 0 && b >= 0) {
          return new Layout(bits / 8, r, g, b);
        }
      }
      throw new ImageException("is a BMP file with an unsupported arrangement of bit fields");
    }

    private static int byteOf(long mask, int bits) {
      for (int i = 0; i < bits / 8; i++) {
        if (mask == 0xffL << 8 * i) {
          return i;
        }
      }
      return -1;
    }
  }
}
