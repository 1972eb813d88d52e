package dev.tessera.image;

/**
 * Unpacks the LZW data of one GIF frame; GIF89a specification, appendix F.
 *
 * <p>Done here because ImageIO's reader accepts truncated and invalid data without a word.
 */
final class GifFrame {
  private static final int MAX_CODES = 4096;

  private final byte[] data;
  private int at;
  private int block; // bytes left in the current block
  private int buffer;
  private int bits;

  private final short[] prefix = new short[MAX_CODES];
  private final byte[] suffix = new byte[MAX_CODES];
  private final byte[] stack = new byte[MAX_CODES + 1];

  /**
   * @param at where the smallest code size stands
   */
  GifFrame(byte[] data, int at) {
    this.data = data;
    this.at = at;
  }

  /**
   * Writes the frame's colour indices into a canvas of {@code stride} columns. Data may end before
   * the frame is full if it says so; what is not written stays as it is.
   */
  void decode(
      byte[] canvas, int stride, int left, int top, int width, int height, boolean interlaced)
      throws ImageException {
    int smallest = next();
    if (smallest > 11) {
      throw damaged();
    }
    int clear = 1 << smallest;
    int size = smallest + 1;
    int free = clear + 2;
    int previous = -1;
    int first = 0;
    int x = 0;
    int row = 0;
    int to = (top * stride) + left;
    while (row < height) {
      int code = code(size);
      if (code == clear) {
        size = smallest + 1;
        free = clear + 2;
        previous = -1;
        continue;
      }
      if (code == clear + 1) {
        return;
      }
      int depth = 0;
      int symbol = code;
      if (previous < 0 ? code > clear : code > free) {
        throw damaged();
      }
      if (previous >= 0 && code == free) {
        stack[depth++] = (byte) first;
        symbol = previous;
      }
      while (symbol >= clear) {
        if (depth >= MAX_CODES) {
          throw damaged();
        }
        stack[depth++] = suffix[symbol];
        symbol = prefix[symbol];
      }
      first = symbol;
      stack[depth++] = (byte) symbol;
      if (previous >= 0 && free < MAX_CODES) {
        suffix[free] = (byte) symbol;
        prefix[free] = (short) previous;
        if (free == (1 << size) - 1 && size < 12) {
          size++;
        }
        free++;
      }
      previous = code;
      while (depth > 0 && row < height) {
        canvas[to + x++] = stack[--depth];
        if (x == width) {
          x = 0;
          row++;
          if (row < height) {
            to = (top + (interlaced ? line(row, height) : row)) * stride + left;
          }
        }
      }
    }
  }

  /**
   * Where the {@code row}-th stored row goes: every 8th from 0, from 4, every 4th from 2, and so
   * on.
   */
  private static int line(int row, int height) {
    int left = row;
    int[] starts = {0, 4, 2, 1};
    int[] steps = {8, 8, 4, 2};
    for (int pass = 0; pass < 4; pass++) {
      int rows = Math.max(0, (height - starts[pass] + steps[pass] - 1) / steps[pass]);
      if (left < rows) {
        return starts[pass] + left * steps[pass];
      }
      left -= rows;
    }
    throw new IllegalStateException("row " + row + " of " + height);
  }

  private int code(int size) throws ImageException {
    while (bits < size) {
      while (block == 0) {
        block = next();
        if (block == 0) {
          throw truncated(); // the end of the data, but not of the frame
        }
      }
      buffer |= next() << bits;
      bits += 8;
      block--;
    }
    int code = buffer & ((1 << size) - 1);
    buffer >>>= size;
    bits -= size;
    return code;
  }

  private int next() throws ImageException {
    if (at >= data.length) {
      throw truncated();
    }
    return data[at++] & 0xff;
  }

  private static ImageException truncated() {
    return new ImageException("is truncated: its GIF data ends early");
  }

  private static ImageException damaged() {
    return new ImageException("is damaged: its GIF data is invalid");
  }
}
