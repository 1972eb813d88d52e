package dev.tessera.image;

import java.util.Arrays;

/** VP8's intra prediction from the samples above and to the left; RFC 6386, section 12. */
final class Vp8Prediction {
  static final int DC = 0;
  static final int TRUE_MOTION = 1;
  static final int VERTICAL = 2;
  static final int HORIZONTAL = 3;
  static final int DOWN_RIGHT = 4;
  static final int VERTICAL_RIGHT = 5;
  static final int DOWN_LEFT = 6;
  static final int VERTICAL_LEFT = 7;
  static final int HORIZONTAL_DOWN = 8;
  static final int HORIZONTAL_UP = 9;

  private static final int STRIDE = 32;

  private Vp8Prediction() {}

  /** Fills a 16x16 luma or 8x8 chroma block. */
  static void predict(byte[] b, int at, int size, int mode, boolean hasLeft, boolean hasAbove) {
    switch (mode) {
      case TRUE_MOTION -> trueMotion(b, at, size);
      case VERTICAL -> {
        for (int y = 0; y < size; y++) {
          System.arraycopy(b, at - STRIDE, b, at + y * STRIDE, size);
        }
      }
      case HORIZONTAL -> {
        for (int y = 0; y < size; y++) {
          int row = at + y * STRIDE;
          Arrays.fill(b, row, row + size, b[row - 1]);
        }
      }
      default -> fill(b, at, size, average(b, at, size, hasLeft, hasAbove));
    }
  }

  private static int average(byte[] b, int at, int size, boolean hasLeft, boolean hasAbove) {
    if (!hasLeft && !hasAbove) {
      return 128;
    }
    int shift = Integer.numberOfTrailingZeros(size) + (hasLeft && hasAbove ? 1 : 0);
    int sum = 1 << (shift - 1);
    for (int i = 0; i < size; i++) {
      sum += hasAbove ? b[at - STRIDE + i] & 0xff : 0;
      sum += hasLeft ? b[at + i * STRIDE - 1] & 0xff : 0;
    }
    return sum >> shift;
  }

  private static void fill(byte[] b, int at, int size, int value) {
    for (int y = 0; y < size; y++) {
      Arrays.fill(b, at + y * STRIDE, at + y * STRIDE + size, (byte) value);
    }
  }

  private static void trueMotion(byte[] b, int at, int size) {
    int corner = b[at - STRIDE - 1] & 0xff;
    for (int y = 0; y < size; y++) {
      int row = at + y * STRIDE;
      int base = (b[row - 1] & 0xff) - corner;
      for (int x = 0; x < size; x++) {
        b[row + x] = (byte) Math.max(0, Math.min(255, base + (b[at - STRIDE + x] & 0xff)));
      }
    }
  }

  /** Fills a 4x4 luma block. */
  static void predictSubblock(byte[] b, int at, int mode) {
    switch (mode) {
      case DC -> {
        int sum = 4;
        for (int i = 0; i < 4; i++) {
          sum += (b[at - STRIDE + i] & 0xff) + (b[at + i * STRIDE - 1] & 0xff);
        }
        fill(b, at, 4, sum >> 3);
      }
      case TRUE_MOTION -> trueMotion(b, at, 4);
      case VERTICAL -> {
        for (int x = 0; x < 4; x++) {
          int value = edge3(b, at, 5 + x);
          for (int y = 0; y < 4; y++) {
            b[at + y * STRIDE + x] = (byte) value;
          }
        }
      }
      case HORIZONTAL -> {
        for (int y = 0; y < 4; y++) {
          // The lowest row has no sample below its left neighbour: that one counts twice.
          int value =
              y < 3
                  ? edge3(b, at, 3 - y)
                  : average3(edge(b, at, 1), edge(b, at, 0), edge(b, at, 0));
          Arrays.fill(b, at + y * STRIDE, at + y * STRIDE + 4, (byte) value);
        }
      }
      default -> predictDiagonal(b, at, mode);
    }
  }

  /**
   * The edge as one line from bottom left to top right: 0 to 3 the left samples upwards, 4 the
   * corner, 5 to 12 the samples above and above right.
   */
  private static int edge(byte[] b, int at, int i) {
    return (i < 4 ? b[at + (3 - i) * STRIDE - 1] : b[at - STRIDE + i - 5]) & 0xff;
  }

  private static int edge2(byte[] b, int at, int i) {
    return (edge(b, at, i) + edge(b, at, i + 1) + 1) >> 1;
  }

  /** The smoothed edge at {@code i}. */
  private static int edge3(byte[] b, int at, int i) {
    return average3(edge(b, at, i - 1), edge(b, at, i), edge(b, at, i + 1));
  }

  private static int average3(int a, int b, int c) {
    return (a + 2 * b + c + 2) >> 2;
  }

  private static void set(byte[] b, int at, int x, int y, int value) {
    b[at + y * STRIDE + x] = (byte) value;
  }

  private static void predictDiagonal(byte[] b, int at, int mode) {
    // All values come from the edge, which the writes below do not touch.
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        int value =
            switch (mode) {
              case DOWN_RIGHT -> edge3(b, at, 4 - y + x);
              case DOWN_LEFT ->
                  x + y < 6
                      ? edge3(b, at, 6 + x + y)
                      : average3(edge(b, at, 11), edge(b, at, 12), edge(b, at, 12));
              case VERTICAL_RIGHT -> verticalRight(b, at, x, y);
              case VERTICAL_LEFT -> verticalLeft(b, at, x, y);
              case HORIZONTAL_DOWN -> horizontalDown(b, at, x, y);
              default -> horizontalUp(b, at, x, y);
            };
        set(b, at, x, y, value);
      }
    }
  }

  private static int verticalRight(byte[] b, int at, int x, int y) {
    int i = 2 * x - y;
    if (i < 0) {
      return edge3(b, at, 5 + i);
    }
    return i % 2 == 0 ? edge2(b, at, 4 + i / 2) : edge3(b, at, 4 + (i + 1) / 2);
  }

  private static int verticalLeft(byte[] b, int at, int x, int y) {
    if (x == 3 && y >= 2) {
      return edge3(b, at, y == 2 ? 10 : 11);
    }
    return y % 2 == 0 ? edge2(b, at, 5 + x + y / 2) : edge3(b, at, 6 + x + y / 2);
  }

  private static int horizontalDown(byte[] b, int at, int x, int y) {
    int i = 2 * y - x;
    if (i < 0) {
      return edge3(b, at, 3 - i);
    }
    return i % 2 == 0 ? edge2(b, at, 3 - i / 2) : edge3(b, at, 4 - (i + 1) / 2);
  }

  private static int horizontalUp(byte[] b, int at, int x, int y) {
    int i = x + 2 * y;
    if (i > 5) {
      return edge(b, at, 0);
    }
    if (i == 5) {
      return average3(edge(b, at, 1), edge(b, at, 0), edge(b, at, 0));
    }
    return i % 2 == 0 ? edge2(b, at, 2 - i / 2) : edge3(b, at, 2 - i / 2);
  }
}
