package dev.tessera.image;

import java.util.Arrays;

/**
 * Decodes a VP8 key frame, the content of lossy WebP, as libwebp does; RFC 6386.
 *
 * <p>TwelveMonkeys decodes VP8 too, but enlarges the chroma planes by repeating samples, where
 * libwebp and so Pillow interpolate, and it does not give the planes away.
 */
final class Vp8Decoder {
  /**
   * Row length of the work area, which holds a macroblock with the samples above and left of it.
   */
  private static final int STRIDE = 32;

  private static final int Y = STRIDE + 8;
  private static final int U = Y + 17 * STRIDE;
  private static final int V = U + 16;

  private final byte[] data;
  private final int width;
  private final int height;
  private final int columns;
  private final int rows;
  private final Vp8BoolDecoder header;
  private final Vp8BoolDecoder[] partitions;
  private final Vp8Filter filter;

  private final int[] segmentProbabilities = {255, 255, 255};
  private boolean segmented;
  private boolean segmentMap;
  private boolean absolute = true;
  private final int[] segmentQuantizer = new int[4];
  private final int[] segmentFilter = new int[4];

  /** {@code [segment][y1 dc, y1 ac, y2 dc, y2 ac, uv dc, uv ac]}. */
  private final int[][] steps = new int[4][6];

  private final int skipProbability; // negative if macroblocks are never marked as empty

  private final byte[] work = new byte[STRIDE * 27];
  private final short[] coefficients = new short[25 * 16];
  private final Vp8Tokens tokens;
  private final int[] residuals = new int[16];
  private final byte[] modesAbove;
  private final byte[] modesLeft = new byte[4];

  // The macroblock being decoded.
  private boolean subblocks;
  private final byte[] modes = new byte[16];
  private int chromaMode;
  private int segment;
  private boolean skip;

  private final byte[] luma;
  private final byte[] blue;
  private final byte[] red;

  private Vp8Decoder(byte[] data, int from, int to, Limits limits) throws ImageException {
    Bytes bytes = new Bytes(data, false);
    if (to - from < 10) {
      throw truncated();
    }
    int tag = bytes.u16(from) | bytes.u8(from + 2) << 16;
    boolean start = bytes.startsWith("\u009d\u0001*", from + 3);
    if ((tag & 1) != 0 || (tag >> 1 & 7) > 3 || (tag >> 4 & 1) == 0 || !start) {
      throw new ImageException("is damaged: its WebP data does not begin with a VP8 key frame");
    }
    this.data = data;
    width = bytes.u16(from + 6) & 0x3fff;
    height = bytes.u16(from + 8) & 0x3fff;
    limits.check(width, height);
    columns = (width + 15) >> 4;
    rows = (height + 15) >> 4;
    int first = from + 10;
    int partitionsAt = first + (tag >> 5);
    if (partitionsAt > to) {
      throw truncated();
    }
    // Each macroblock costs bits; a mode alone has at least one chance in 2^8 or so per bit.
    Limits.checkDensity((long) width * height, to - from, 256 * 128);
    header = new Vp8BoolDecoder(data, first, partitionsAt);
    header.flag(); // colour space
    header.flag(); // clamping
    readSegments();
    boolean simple = header.flag();
    int level = header.number(6);
    int sharpness = header.number(3);
    int[] deltas = readFilterDeltas();
    partitions = readPartitions(partitionsAt, to);
    readSteps();
    header.flag(); // whether probabilities outlive the frame
    short[] probabilities = Vp8Tokens.readProbabilities(header);
    skipProbability = header.flag() ? header.number(8) : -1;
    if (header.exhausted()) {
      throw truncated();
    }
    luma = new byte[columns * rows * 256];
    blue = new byte[columns * rows * 64];
    red = new byte[columns * rows * 64];
    modesAbove = new byte[4 * columns];
    tokens = new Vp8Tokens(probabilities, columns, coefficients);
    filter = new Vp8Filter(columns, rows, simple, level, sharpness);
    filter.setStrengths(segmented, absolute, segmentFilter, deltas);
  }

  /** The picture in the {@code VP8 } chunk's content {@code data[from..to)}. */
  static RgbImage decode(byte[] data, int from, int to, Limits limits) throws ImageException {
    Vp8Decoder decoder = new Vp8Decoder(data, from, to, limits);
    decoder.decodeFrame();
    return Vp8Color.toRgb(
        decoder.luma,
        decoder.blue,
        decoder.red,
        16 * decoder.columns,
        decoder.width,
        decoder.height);
  }

  private static ImageException truncated() {
    return new ImageException("is truncated: its WebP data ends early");
  }

  private void readSegments() {
    segmented = header.flag();
    if (!segmented) {
      return;
    }
    segmentMap = header.flag();
    if (header.flag()) {
      absolute = header.flag();
      for (int i = 0; i < 4; i++) {
        segmentQuantizer[i] = header.optionalSigned(7);
      }
      for (int i = 0; i < 4; i++) {
        segmentFilter[i] = header.optionalSigned(6);
      }
    }
    if (segmentMap) {
      for (int i = 0; i < 3; i++) {
        segmentProbabilities[i] = header.flag() ? header.number(8) : 255;
      }
    }
  }

  /** What is added to the filter level of macroblocks, and of those with subblock modes. */
  private int[] readFilterDeltas() {
    int[] deltas = new int[8];
    if (header.flag() && header.flag()) {
      for (int i = 0; i < 8; i++) {
        deltas[i] = header.optionalSigned(6);
      }
    }
    return new int[] {deltas[0], deltas[4]};
  }

  private Vp8BoolDecoder[] readPartitions(int at, int to) throws ImageException {
    int count = 1 << header.number(2);
    int start = at + 3 * (count - 1);
    if (start >= to) {
      throw truncated();
    }
    Vp8BoolDecoder[] parts = new Vp8BoolDecoder[count];
    for (int i = 0; i < count; i++) {
      int size = to - start;
      if (i < count - 1) {
        int sizeAt = at + 3 * i;
        int stated =
            data[sizeAt] & 0xff | (data[sizeAt + 1] & 0xff) << 8 | (data[sizeAt + 2] & 0xff) << 16;
        size = Math.min(size, stated);
      }
      parts[i] = new Vp8BoolDecoder(data, start, start + size);
      start += size;
    }
    return parts;
  }

  /** Section 9.6 and 14.1. */
  private void readSteps() {
    int base = header.number(7);
    int y1dc = header.optionalSigned(4);
    int y2dc = header.optionalSigned(4);
    int y2ac = header.optionalSigned(4);
    int uvdc = header.optionalSigned(4);
    int uvac = header.optionalSigned(4);
    for (int s = 0; s < 4; s++) {
      int q = base;
      if (segmented) {
        q = segmentQuantizer[s] + (absolute ? 0 : base);
      }
      steps[s][0] = Vp8Tables.DC_STEPS[Math.clamp(q + y1dc, 0, 127)];
      steps[s][1] = Vp8Tables.AC_STEPS[Math.clamp(q, 0, 127)];
      steps[s][2] = Vp8Tables.DC_STEPS[Math.clamp(q + y2dc, 0, 127)] * 2;
      steps[s][3] = Math.max(8, Vp8Tables.AC_STEPS[Math.clamp(q + y2ac, 0, 127)] * 155 / 100);
      steps[s][4] = Vp8Tables.DC_STEPS[Math.clamp(q + uvdc, 0, 117)];
      steps[s][5] = Vp8Tables.AC_STEPS[Math.clamp(q + uvac, 0, 127)];
    }
  }

  private void decodeFrame() throws ImageException {
    for (int row = 0; row < rows; row++) {
      Vp8BoolDecoder partition = partitions[row & (partitions.length - 1)];
      Arrays.fill(modesLeft, (byte) 0);
      tokens.startRow();
      for (int column = 0; column < columns; column++) {
        readModes(column);
        Arrays.fill(coefficients, (short) 0);
        boolean empty = true;
        if (skip) {
          tokens.skip(column, subblocks);
        } else {
          empty = tokens.read(partition, column, steps[segment], subblocks);
        }
        if (partition.exhausted() || header.exhausted()) {
          throw truncated();
        }
        reconstruct(column, row);
        filter.put(column, row, segment, subblocks, subblocks || !empty);
      }
    }
    filter.apply(luma, blue, red);
  }

  /** Section 11 and 19.3. */
  private void readModes(int column) {
    segment = 0;
    if (segmentMap) {
      segment =
          header.bit(segmentProbabilities[0]) == 0
              ? header.bit(segmentProbabilities[1])
              : 2 + header.bit(segmentProbabilities[2]);
    }
    skip = skipProbability >= 0 && header.bit(skipProbability) != 0;
    subblocks = header.bit(145) == 0;
    if (!subblocks) {
      int mode;
      if (header.bit(156) != 0) {
        mode = header.bit(128) != 0 ? Vp8Prediction.TRUE_MOTION : Vp8Prediction.HORIZONTAL;
      } else {
        mode = header.bit(163) != 0 ? Vp8Prediction.VERTICAL : Vp8Prediction.DC;
      }
      modes[0] = (byte) mode;
      Arrays.fill(modesAbove, 4 * column, 4 * column + 4, (byte) mode);
      Arrays.fill(modesLeft, (byte) mode);
    } else {
      for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 4; x++) {
          int mode = readSubblockMode(modesAbove[4 * column + x], modesLeft[y]);
          modes[4 * y + x] = (byte) mode;
          modesAbove[4 * column + x] = (byte) mode;
          modesLeft[y] = (byte) mode;
        }
      }
    }
    if (header.bit(142) == 0) {
      chromaMode = Vp8Prediction.DC;
    } else if (header.bit(114) == 0) {
      chromaMode = Vp8Prediction.VERTICAL;
    } else {
      chromaMode = header.bit(183) != 0 ? Vp8Prediction.TRUE_MOTION : Vp8Prediction.HORIZONTAL;
    }
  }

  private int readSubblockMode(int above, int left) {
    short[] p = Vp8Tables.SUBBLOCK_MODES;
    int at = (above * 10 + left) * 9;
    if (header.bit(p[at]) == 0) {
      return Vp8Prediction.DC;
    } else if (header.bit(p[at + 1]) == 0) {
      return Vp8Prediction.TRUE_MOTION;
    } else if (header.bit(p[at + 2]) == 0) {
      return Vp8Prediction.VERTICAL;
    } else if (header.bit(p[at + 3]) == 0) {
      if (header.bit(p[at + 4]) == 0) {
        return Vp8Prediction.HORIZONTAL;
      }
      return header.bit(p[at + 5]) == 0 ? Vp8Prediction.DOWN_RIGHT : Vp8Prediction.VERTICAL_RIGHT;
    } else if (header.bit(p[at + 6]) == 0) {
      return Vp8Prediction.DOWN_LEFT;
    } else if (header.bit(p[at + 7]) == 0) {
      return Vp8Prediction.VERTICAL_LEFT;
    }
    return header.bit(p[at + 8]) == 0 ? Vp8Prediction.HORIZONTAL_DOWN : Vp8Prediction.HORIZONTAL_UP;
  }

  /** Predicts and corrects one macroblock in the work area and copies it to the planes. */
  private void reconstruct(int column, int row) {
    bringNeighbours(luma, 16 * columns, Y, 16, column, row);
    bringNeighbours(blue, 8 * columns, U, 8, column, row);
    bringNeighbours(red, 8 * columns, V, 8, column, row);
    if (subblocks) {
      bringTopRight(column, row);
      for (int block = 0; block < 16; block++) {
        int at = Y + (block >> 2) * 4 * STRIDE + (block & 3) * 4;
        Vp8Prediction.predictSubblock(work, at, modes[block]);
        Vp8Transform.addInverse(coefficients, 16 * block, residuals, work, at);
      }
    } else {
      Vp8Prediction.predict(work, Y, 16, modes[0], column > 0, row > 0);
      for (int block = 0; block < 16; block++) {
        int at = Y + (block >> 2) * 4 * STRIDE + (block & 3) * 4;
        Vp8Transform.addInverse(coefficients, 16 * block, residuals, work, at);
      }
    }
    Vp8Prediction.predict(work, U, 8, chromaMode, column > 0, row > 0);
    Vp8Prediction.predict(work, V, 8, chromaMode, column > 0, row > 0);
    for (int block = 16; block < 24; block++) {
      int plane = block < 20 ? U : V;
      int at = plane + (block >> 1 & 1) * 4 * STRIDE + (block & 1) * 4;
      Vp8Transform.addInverse(coefficients, 16 * block, residuals, work, at);
    }
    store(luma, 16 * columns, Y, 16, column, row);
    store(blue, 8 * columns, U, 8, column, row);
    store(red, 8 * columns, V, 8, column, row);
  }

  /** The samples above are 127 and those to the left 129 where there are none; section 12.2. */
  private void bringNeighbours(byte[] plane, int stride, int at, int size, int column, int row) {
    int origin = row * size * stride + column * size;
    if (row > 0) {
      System.arraycopy(plane, origin - stride, work, at - STRIDE, size);
    } else {
      Arrays.fill(work, at - STRIDE, at - STRIDE + size, (byte) 127);
    }
    for (int y = 0; y < size; y++) {
      work[at + y * STRIDE - 1] = column > 0 ? plane[origin + y * stride - 1] : (byte) 129;
    }
    int corner = row == 0 ? 127 : column == 0 ? 129 : plane[origin - stride - 1];
    work[at - STRIDE - 1] = (byte) corner;
  }

  /** Subblocks on the right edge all see the four samples above and right of the macroblock. */
  private void bringTopRight(int column, int row) {
    int at = Y - STRIDE + 16;
    if (row == 0) {
      Arrays.fill(work, at, at + 4, (byte) 127);
    } else {
      int above = (16 * row - 1) * 16 * columns + 16 * column;
      if (column < columns - 1) {
        System.arraycopy(luma, above + 16, work, at, 4);
      } else {
        Arrays.fill(work, at, at + 4, luma[above + 15]);
      }
    }
    for (int y = 4; y < 16; y += 4) {
      System.arraycopy(work, at, work, at + y * STRIDE, 4);
    }
  }

  private void store(byte[] plane, int stride, int at, int size, int column, int row) {
    int to = row * size * stride + column * size;
    for (int y = 0; y < size; y++) {
      System.arraycopy(work, at + y * STRIDE, plane, to + y * stride, size);
    }
  }
}
