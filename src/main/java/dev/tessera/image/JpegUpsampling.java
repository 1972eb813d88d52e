package dev.tessera.image;

/**
 * Brings subsampled components to full size, line by line; after libjpeg-turbo's {@code
 * jdsample.c} with "fancy" (triangle filter) upsampling.
 */
final class JpegUpsampling {
  private final JpegComponent component;
  private final int across;
  private final int down;
  private final byte[] line;
  private final int[] sums;

  /**
   * @param across how many columns one sample is to cover
   * @param down how many rows
   */
  JpegUpsampling(JpegComponent component, int across, int down) {
    this.component = component;
    this.across = across;
    this.down = down;
    this.line = new byte[across * component.width + 1];
    this.sums = new int[component.width];
  }

  boolean fullSize() {
    return across == 1 && down == 1;
  }

  /** Row {@code y} of the picture at full width; valid until the next call. */
  byte[] row(int y) {
    byte[] in = component.samples;
    int stride = component.stride();
    int near = y / down * stride;
    boolean wide = component.width > 2;
    if (across == 2 && down == 1 && wide) {
      horizontal(in, near);
    } else if (across == 1 && down == 2) {
      int far = neighbour(y) * stride;
      int bias = y % 2 == 0 ? 1 : 2;
      for (int x = 0; x < component.width; x++) {
        line[x] = (byte) ((3 * (in[near + x] & 0xff) + (in[far + x] & 0xff) + bias) >> 2);
      }
    } else if (across == 2 && down == 2 && wide) {
      both(in, near, neighbour(y) * stride);
    } else {
      for (int x = 0; x < across * component.width; x++) {
        line[x] = in[near + x / across];
      }
    }
    return line;
  }

  /** The other of the two sample rows between which row {@code y} lies. */
  private int neighbour(int y) {
    return Math.clamp(y % 2 == 0 ? y / 2 - 1 : y / 2 + 1, 0, component.height - 1);
  }

  private void horizontal(byte[] in, int row) {
    int last = component.width - 1;
    int left = in[row] & 0xff;
    int here = left;
    for (int x = 0; x < last; x++) {
      int right = in[row + x + 1] & 0xff;
      line[2 * x] = (byte) ((3 * here + left + 1) >> 2);
      line[2 * x + 1] = (byte) ((3 * here + right + 2) >> 2);
      left = here;
      here = right;
    }
    line[2 * last] = (byte) ((3 * here + left + 1) >> 2);
    line[2 * last + 1] = (byte) here;
  }

  private void both(byte[] in, int near, int far) {
    int width = component.width;
    for (int x = 0; x < width; x++) {
      sums[x] = 3 * (in[near + x] & 0xff) + (in[far + x] & 0xff);
    }
    int last = width - 1;
    int left = sums[0];
    int here = left;
    for (int x = 0; x < last; x++) {
      int right = sums[x + 1];
      line[2 * x] = (byte) ((3 * here + left + 8) >> 4);
      line[2 * x + 1] = (byte) ((3 * here + right + 7) >> 4);
      left = here;
      here = right;
    }
    line[2 * last] = (byte) ((3 * here + left + 8) >> 4);
    line[2 * last + 1] = (byte) ((4 * here + 7) >> 4);
  }
}
