package dev.tessera.image;

/** VP8's loop filter, run over the whole reconstructed picture; RFC 6386, section 15. */
final class Vp8Filter {
  private final int columns;
  private final int rows;
  private final boolean simple;
  private final int level;
  private final int sharpness;

  /** {@code [segment * 2 + (has subblock modes)]}: edge limit, or 0 for no filtering. */
  private final int[] limits = new int[8];

  private final int[] interiorLimits = new int[8];
  private final int[] thresholds = new int[8];

  /** Per macroblock: the index into the tables above, times 2, plus whether to filter inside. */
  private final byte[] blocks;

  Vp8Filter(int columns, int rows, boolean simple, int level, int sharpness) {
    this.columns = columns;
    this.rows = rows;
    this.simple = simple;
    this.level = level;
    this.sharpness = sharpness;
    this.blocks = new byte[columns * rows];
  }

  /**
   * @param deltas what is added to the level of every macroblock, and of those with subblock modes
   */
  void setStrengths(boolean segmented, boolean absolute, int[] segmentLevels, int[] deltas) {
    for (int i = 0; i < 8; i++) {
      int base = segmented ? segmentLevels[i / 2] + (absolute ? 0 : level) : level;
      int strength = Math.max(0, Math.min(63, base + deltas[0] + (i % 2 == 1 ? deltas[1] : 0)));
      if (strength == 0) {
        continue;
      }
      int interior = strength;
      if (sharpness > 0) {
        interior >>= sharpness > 4 ? 2 : 1;
        interior = Math.min(interior, 9 - sharpness);
      }
      interior = Math.max(interior, 1);
      interiorLimits[i] = interior;
      limits[i] = 2 * strength + interior;
      thresholds[i] = strength >= 40 ? 2 : strength >= 15 ? 1 : 0;
    }
  }

  /** Notes how a macroblock is to be filtered. */
  void put(int column, int row, int segment, boolean subblocks, boolean inside) {
    int strength = 2 * segment + (subblocks ? 1 : 0);
    blocks[row * columns + column] = (byte) (2 * strength + (inside ? 1 : 0));
  }

  void apply(byte[] luma, byte[] blue, byte[] red) {
    if (level == 0) {
      return;
    }
    int stride = 16 * columns;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        int block = blocks[row * columns + column];
        int limit = limits[block / 2];
        if (limit == 0) {
          continue;
        }
        boolean inside = block % 2 == 1;
        int at = (16 * row * stride) + 16 * column;
        if (simple) {
          filterSimple(luma, at, stride, column > 0, row > 0, inside, limit);
          continue;
        }
        int interior = interiorLimits[block / 2];
        int threshold = thresholds[block / 2];
        int chroma = 8 * row * (stride / 2) + 8 * column;
        // Vertical edges first, and of all planes; the planes do not influence each other.
        filterPlane(luma, at, stride, 16, column > 0, row > 0, inside, limit, interior, threshold);
        filterPlane(
            blue, chroma, stride / 2, 8, column > 0, row > 0, inside, limit, interior, threshold);
        filterPlane(
            red, chroma, stride / 2, 8, column > 0, row > 0, inside, limit, interior, threshold);
      }
    }
  }

  private static void filterSimple(
      byte[] p, int at, int stride, boolean left, boolean above, boolean inside, int limit) {
    if (left) {
      simpleEdge(p, at, 1, stride, limit + 4);
    }
    if (inside) {
      for (int i = 4; i < 16; i += 4) {
        simpleEdge(p, at + i, 1, stride, limit);
      }
    }
    if (above) {
      simpleEdge(p, at, stride, 1, limit + 4);
    }
    if (inside) {
      for (int i = 4; i < 16; i += 4) {
        simpleEdge(p, at + i * stride, stride, 1, limit);
      }
    }
  }

  private static void simpleEdge(byte[] p, int at, int across, int along, int limit) {
    for (int i = 0; i < 16; i++, at += along) {
      if (edgeDifference(p, at, across) <= 2 * limit + 1) {
        filter2(p, at, across);
      }
    }
  }

  private static void filterPlane(
      byte[] p,
      int at,
      int stride,
      int size,
      boolean left,
      boolean above,
      boolean inside,
      int limit,
      int interior,
      int threshold) {
    if (left) {
      edge(p, at, 1, stride, size, limit + 4, interior, threshold, true);
    }
    if (inside) {
      for (int i = 4; i < size; i += 4) {
        edge(p, at + i, 1, stride, size, limit, interior, threshold, false);
      }
    }
    if (above) {
      edge(p, at, stride, 1, size, limit + 4, interior, threshold, true);
    }
    if (inside) {
      for (int i = 4; i < size; i += 4) {
        edge(p, at + i * stride, stride, 1, size, limit, interior, threshold, false);
      }
    }
  }

  private static void edge(
      byte[] p,
      int at,
      int across,
      int along,
      int size,
      int limit,
      int interior,
      int threshold,
      boolean macroblock) {
    for (int i = 0; i < size; i++, at += along) {
      if (edgeDifference(p, at, across) > 2 * limit + 1
          || difference(p, at - 4 * across, at - 3 * across) > interior
          || difference(p, at - 3 * across, at - 2 * across) > interior
          || difference(p, at - 2 * across, at - across) > interior
          || difference(p, at + 3 * across, at + 2 * across) > interior
          || difference(p, at + 2 * across, at + across) > interior
          || difference(p, at + across, at) > interior) {
        continue;
      }
      if (difference(p, at - 2 * across, at - across) > threshold
          || difference(p, at + across, at) > threshold) {
        filter2(p, at, across);
      } else if (macroblock) {
        filter6(p, at, across);
      } else {
        filter4(p, at, across);
      }
    }
  }

  private static int difference(byte[] p, int a, int b) {
    return Math.abs((p[a] & 0xff) - (p[b] & 0xff));
  }

  private static int edgeDifference(byte[] p, int at, int step) {
    return 4 * difference(p, at - step, at) + difference(p, at - 2 * step, at + step);
  }

  /** How much the two sides of the edge are apart, times 3. */
  private static int gap(byte[] p, int at, int step) {
    return 3 * ((p[at] & 0xff) - (p[at - step] & 0xff));
  }

  private static int outerGap(byte[] p, int at, int step) {
    return Math.max(-128, Math.min(127, (p[at - 2 * step] & 0xff) - (p[at + step] & 0xff)));
  }

  private static void add(byte[] p, int at, int value) {
    p[at] = (byte) Math.max(0, Math.min(255, (p[at] & 0xff) + value));
  }

  private static int clamp5(int value) {
    return Math.max(-16, Math.min(15, value));
  }

  private static void filter2(byte[] p, int at, int step) {
    int a = gap(p, at, step) + outerGap(p, at, step);
    int up = clamp5((a + 3) >> 3);
    int down = clamp5((a + 4) >> 3);
    add(p, at - step, up);
    add(p, at, -down);
  }

  private static void filter4(byte[] p, int at, int step) {
    int a = gap(p, at, step);
    int up = clamp5((a + 3) >> 3);
    int down = clamp5((a + 4) >> 3);
    int outer = (down + 1) >> 1;
    add(p, at - 2 * step, outer);
    add(p, at - step, up);
    add(p, at, -down);
    add(p, at + step, -outer);
  }

  private static void filter6(byte[] p, int at, int step) {
    int a = Math.max(-128, Math.min(127, gap(p, at, step) + outerGap(p, at, step)));
    int a1 = (27 * a + 63) >> 7;
    int a2 = (18 * a + 63) >> 7;
    int a3 = (9 * a + 63) >> 7;
    add(p, at - 3 * step, a3);
    add(p, at - 2 * step, a2);
    add(p, at - step, a1);
    add(p, at, -a1);
    add(p, at + step, -a2);
    add(p, at + 2 * step, -a3);
  }
}
