package dev.tessera.image;

import java.util.Arrays;

/** Reads the coefficients of VP8 macroblocks; RFC 6386, section 13. */
final class Vp8Tokens {
  private final short[] probabilities;

  /** 24 blocks of 16 in natural order, and the second-order block. */
  private final short[] coefficients;

  // Per column and for the left: which blocks had coefficients. y 0-3, u 4-5, v 6-7, y2 8.
  private final boolean[] filledAbove;
  private final boolean[] filledLeft = new boolean[9];

  Vp8Tokens(short[] probabilities, int columns, short[] coefficients) {
    this.probabilities = probabilities;
    this.coefficients = coefficients;
    this.filledAbove = new boolean[9 * columns];
  }

  static short[] readProbabilities(Vp8BoolDecoder header) {
    short[] probabilities = Vp8Tables.DEFAULT_COEFFICIENTS.clone();
    for (int i = 0; i < probabilities.length; i++) {
      if (header.bit(Vp8Tables.COEFFICIENT_UPDATES[i]) != 0) {
        probabilities[i] = (short) header.number(8);
      }
    }
    return probabilities;
  }

  void startRow() {
    Arrays.fill(filledLeft, false);
  }

  /** Notes a macroblock without coefficients. */
  void skip(int column, boolean subblocks) {
    int count = subblocks ? 8 : 9; // with subblock modes there is no second-order block
    Arrays.fill(filledLeft, 0, count, false);
    Arrays.fill(filledAbove, 9 * column, 9 * column + count, false);
  }

  /**
   * Reads a macroblock's coefficients, dequantized.
   *
   * @param step y1 dc, y1 ac, y2 dc, y2 ac, uv dc, uv ac
   * @return whether all are zero
   */
  boolean read(Vp8BoolDecoder in, int column, int[] step, boolean subblocks) {
    int above = 9 * column;
    int first = 0;
    int type = 3;
    boolean empty = true;
    if (!subblocks) {
      int context = count(filledAbove[above + 8], filledLeft[8]);
      int end = readBlock(in, 1, context, step[2], step[3], 0, 24 * 16);
      filledAbove[above + 8] = end > 0;
      filledLeft[8] = end > 0;
      Vp8Transform.inverseWalshHadamard(coefficients, 24 * 16, coefficients);
      first = 1;
      type = 0;
    }
    for (int block = 0; block < 24; block++) {
      boolean chroma = block >= 16;
      int x;
      int y;
      if (chroma) {
        int plane = block < 20 ? 4 : 6;
        x = plane + (block & 1);
        y = plane + (block >> 1 & 1);
      } else {
        x = block & 3;
        y = block >> 2;
      }
      int context = count(filledAbove[above + x], filledLeft[y]);
      int end =
          chroma
              ? readBlock(in, 2, context, step[4], step[5], 0, 16 * block)
              : readBlock(in, type, context, step[0], step[1], first, 16 * block);
      boolean filled = end > (chroma ? 0 : first);
      filledAbove[above + x] = filled;
      filledLeft[y] = filled;
      empty &= end <= 1 && coefficients[16 * block] == 0;
    }
    return empty;
  }

  private static int count(boolean a, boolean b) {
    return (a ? 1 : 0) + (b ? 1 : 0);
  }

  /** Reads one block's coefficients; returns the position after the last one. */
  private int readBlock(
      Vp8BoolDecoder in, int type, int context, int dcStep, int acStep, int first, int at) {
    short[] p = probabilities;
    int n = first;
    int i = index(type, n, context);
    while (n < 16) {
      if (in.bit(p[i]) == 0) {
        return n;
      }
      while (in.bit(p[i + 1]) == 0) {
        n++;
        if (n == 16) {
          return 16;
        }
        i = index(type, n, 0);
      }
      int value = 1;
      int next = 1;
      if (in.bit(p[i + 2]) != 0) {
        value = readLarge(in, p, i);
        next = 2;
      }
      int signed = in.bit(128) != 0 ? -value : value;
      coefficients[at + Vp8Tables.ZIGZAG[n]] = (short) (signed * (n > 0 ? acStep : dcStep));
      n++;
      i = index(type, n, next);
    }
    return 16;
  }

  private static int index(int type, int position, int context) {
    return ((type * 8 + Vp8Tables.BANDS[position]) * 3 + context) * 11;
  }

  private static int readLarge(Vp8BoolDecoder in, short[] p, int i) {
    if (in.bit(p[i + 3]) == 0) {
      return in.bit(p[i + 4]) == 0 ? 2 : 3 + in.bit(p[i + 5]);
    }
    if (in.bit(p[i + 6]) == 0) {
      if (in.bit(p[i + 7]) == 0) {
        return 5 + in.bit(159);
      }
      int high = in.bit(165);
      return 7 + 2 * high + in.bit(145);
    }
    int high = in.bit(p[i + 8]);
    int category = 2 * high + in.bit(p[i + 9 + high]);
    int extra = 0;
    for (short probability : Vp8Tables.CATEGORIES[category]) {
      extra = 2 * extra + in.bit(probability);
    }
    return extra + 3 + (8 << category);
  }
}
