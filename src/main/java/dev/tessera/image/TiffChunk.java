package dev.tessera.image;

import java.util.Arrays;

/**
 * One unpacked strip or tile.
 *
 * @param rows stored rows, {@code layout.rowBytes()} bytes each (for JPEG and YCbCr: 8-bit samples
 *     interleaved)
 */
record TiffChunk(byte[] rows, int rowBytes, int stride, int bits, TiffLayout layout) {
  // libtiff's YCbCr conversion with the default coefficients, in 16-bit fixed point.
  private static final int RED_OF_CR = 91881;
  private static final int GREEN_OF_CR = -46802;
  private static final int GREEN_OF_CB = -22553;
  private static final int BLUE_OF_CB = 116130;

  static TiffChunk unpack(byte[] data, int from, int count, TiffLayout layout, int storedRows)
      throws ImageException {
    if (layout.photometric() == TiffLayout.YCBCR) {
      return subsampled(data, from, count, layout, storedRows);
    }
    int rowBytes = layout.rowBytes();
    byte[] rows =
        TiffCompression.unpack(
            data, from, count, layout.compression(), (long) rowBytes * storedRows);
    int samples = layout.planar() ? 1 : layout.samples();
    if (layout.compression() != TiffCompression.NONE) {
      TiffCompression.undoPredictor(
          rows, rowBytes, layout.predictor(), samples, layout.bits(), layout.bigEndian());
    }
    return new TiffChunk(rows, rowBytes, samples, layout.bits(), layout);
  }

  /** Units of luma samples followed by one Cb and one Cr; TIFF 6.0, section 21. */
  private static TiffChunk subsampled(
      byte[] data, int from, int count, TiffLayout layout, int storedRows) throws ImageException {
    int h = layout.subsamplingX();
    int v = layout.subsamplingY();
    int across = (layout.chunkWidth() + h - 1) / h;
    int down = (storedRows + v - 1) / v;
    int unit = h * v + 2;
    long size = (long) across * down * unit;
    byte[] packed = TiffCompression.unpack(data, from, count, layout.compression(), size);
    if (layout.compression() != TiffCompression.NONE && layout.predictor() != 1) {
      TiffCompression.undoPredictor(packed, across * unit, layout.predictor(), 3, 8, false);
    }
    byte[] rows = new byte[3 * layout.chunkWidth() * storedRows];
    for (int y = 0; y < storedRows; y++) {
      for (int x = 0; x < layout.chunkWidth(); x++) {
        int at = (y / v * across + x / h) * unit;
        int to = 3 * (y * layout.chunkWidth() + x);
        rows[to] = packed[at + y % v * h + x % h];
        rows[to + 1] = packed[at + h * v];
        rows[to + 2] = packed[at + h * v + 1];
      }
    }
    return new TiffChunk(rows, 3 * layout.chunkWidth(), 3, 8, layout);
  }

  /** A JPEG stream, to which the tables that all chunks share have to be added. */
  static TiffChunk jpeg(
      byte[] data,
      int from,
      int count,
      TiffDirectory directory,
      TiffLayout layout,
      int storedRows,
      Limits limits)
      throws ImageException {
    JpegDecoder decoder = new JpegDecoder(limits);
    long[] shared = directory.values(TiffDirectory.JPEG_TABLES);
    if (shared.length > 4) {
      byte[] tables = new byte[shared.length];
      for (int i = 0; i < tables.length; i++) {
        tables[i] = (byte) shared[i];
      }
      decoder.readTables(tables);
    }
    decoder.decode(Arrays.copyOfRange(data, from, from + count));
    int samples = layout.planar() ? 1 : layout.samples();
    if (decoder.width() < layout.chunkWidth()
        || decoder.height() < storedRows
        || decoder.componentCount() != samples) {
      throw new ImageException("is damaged: its embedded JPEG data does not fit the TIFF header");
    }
    return new TiffChunk(decoder.interleaved(), decoder.width() * samples, samples, 8, layout);
  }

  /**
   * Brings {@code columns} samples of one channel to 8 bits: small ones scaled up, wide gray ones
   * clipped, other wide ones cut to their high bytes.
   */
  void copyRow(int y, int channel, int columns, byte[] target, int to, int step) {
    int row = y * rowBytes;
    boolean inverted = layout.photometric() == TiffLayout.WHITE_IS_ZERO && bits <= 8;
    for (int x = 0; x < columns; x++, to += step) {
      int value = value(row, x * stride + channel);
      target[to] = (byte) (inverted ? ~value : value);
    }
  }

  private int value(int row, int sample) {
    boolean big = layout.bigEndian();
    if (bits == 8) {
      return rows[row + sample];
    } else if (bits < 8) {
      int bit = sample * bits;
      int value = (rows[row + (bit >> 3)] & 0xff) >> (8 - bits - (bit & 7)) & ((1 << bits) - 1);
      return layout.photometric() == TiffLayout.PALETTE ? value : value * 255 / ((1 << bits) - 1);
    } else if (bits == 12) {
      int at = row + sample * 3 / 2;
      int a = rows[at] & 0xff;
      int b = rows[at + 1] & 0xff;
      return Math.min(255, sample % 2 == 0 ? a << 4 | b >> 4 : (a & 15) << 8 | b);
    }
    int at = row + sample * (bits / 8);
    if (bits == 16 && layout.channels() > 1) {
      return rows[at + (big ? 0 : 1)];
    }
    long number = 0;
    for (int i = 0; i < bits / 8; i++) {
      number = number << 8 | rows[at + (big ? i : bits / 8 - 1 - i)] & 0xff;
    }
    double value;
    if (layout.format() == 3) {
      value = bits == 32 ? Float.intBitsToFloat((int) number) : Double.longBitsToDouble(number);
    } else if (bits == 16) {
      value = layout.format() == 2 ? (short) number : number;
    } else {
      value = (int) number; // Pillow's mode I is signed
    }
    return (int) Math.max(0, Math.min(255, value));
  }

  /** In place, after libtiff's {@code tif_color.c}. */
  static byte[] yccToRgb(byte[] samples) {
    for (int i = 0; i < samples.length; i += 3) {
      int y = samples[i] & 0xff;
      int cb = (samples[i + 1] & 0xff) - 128;
      int cr = (samples[i + 2] & 0xff) - 128;
      samples[i] = clamp(y + ((RED_OF_CR * cr + 0x8000) >> 16));
      samples[i + 1] = clamp(y + ((GREEN_OF_CB * cb + GREEN_OF_CR * cr + 0x8000) >> 16));
      samples[i + 2] = clamp(y + ((BLUE_OF_CB * cb + 0x8000) >> 16));
    }
    return samples;
  }

  private static byte clamp(int value) {
    return (byte) Math.clamp(value, 0, 255);
  }
}
