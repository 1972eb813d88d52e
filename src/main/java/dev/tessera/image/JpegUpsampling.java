package dev.tessera.image;

/**
 * Brings subsampled components to full size, line by line; after libjpeg-turbo's {@code jdsample.c}
 * with "fancy" (triangle filter) upsampling.
 */
final class JpegUpsampling {
  private final JpegComponent component;
  private final int across;
  private final int down;
  private final int[] line;
  private final int[] sums;
  private final int[] evens;
  private final int[] odds;

  /**
   * @param across how many columns one sample is to cover
   * @param down how many rows
   */
  JpegUpsampling(JpegComponent component, int across, int down) {
    this.component = component;
    this.across = across;
    this.down = down;
    this.line = new int[across * component.width];
    this.sums = new int[component.width];
    this.evens = new int[component.width];
    this.odds = new int[component.width];
  }

  /** Row {@code y} of the picture at full width, minus 128; valid until the next call. */
  int[] row(int y) {
    byte[] in = component.samples;
    int stride = component.stride();
    int near = y / down * stride;
    boolean wide = component.width > 2;
    if (across == 2 && down == 1 && wide) {
      copy(in, near, sums);
      spread(1, 2, 2);
    } else if (across == 1 && down == 2) {
      int far = neighbour(y) * stride;
      int bias = y % 2 == 0 ? 1 : 2;
      for (int x = 0; x < component.width; x++) {
        line[x] = (3 * in[near + x] + in[far + x] + bias) >> 2;
      }
    } else if (across == 2 && down == 2 && wide) {
      mix(in, near, neighbour(y) * stride, sums);
      spread(8, 7, 4);
    } else if (across == 1) {
      copy(in, near, line);
    } else {
      for (int x = 0; x < line.length; x++) {
        line[x] = in[near + x / across];
      }
    }
    return line;
  }

  private static void copy(byte[] in, int from, int[] out) {
    for (int x = 0; x < out.length; x++) {
      out[x] = in[from + x];
    }
  }

  private static void mix(byte[] in, int near, int far, int[] out) {
    for (int x = 0; x < out.length; x++) {
      out[x] = 3 * in[near + x] + in[far + x];
    }
  }

  /** The other of the two sample rows between which row {@code y} lies. */
  private int neighbour(int y) {
    return Math.clamp(y % 2 == 0 ? y / 2 - 1 : y / 2 + 1, 0, component.height - 1);
  }

  /**
   * Makes two of every column: a quarter of the neighbour on that side and three of its own. At the
   * ends there is no neighbour, and a column is its own. The loops are apart because the compiler
   * makes vector instructions of the first only.
   */
  private void spread(int evenBias, int oddBias, int shift) {
    int last = component.width - 1;
    int[] in = sums;
    for (int x = 1; x < last; x++) {
      evens[x] = (3 * in[x] + in[x - 1] + evenBias) >> shift;
      odds[x] = (3 * in[x] + in[x + 1] + oddBias) >> shift;
    }
    evens[0] = (4 * in[0] + evenBias) >> shift;
    odds[0] = (3 * in[0] + in[1] + oddBias) >> shift;
    evens[last] = (3 * in[last] + in[last - 1] + evenBias) >> shift;
    odds[last] = (4 * in[last] + oddBias) >> shift;
    for (int x = 0; x <= last; x++) {
      line[2 * x] = evens[x];
      line[2 * x + 1] = odds[x];
    }
  }
}
