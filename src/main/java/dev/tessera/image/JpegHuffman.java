package dev.tessera.image;

import java.util.Arrays;
import javax.imageio.plugins.jpeg.JPEGHuffmanTable;

/** A Huffman table in the form that decoding needs; ITU-T T.81, annexes C and F.2.2.3. */
final class JpegHuffman {
  /** Codes up to this length are decoded with one look. */
  static final int LOOK_AHEAD = 9;

  /** For where no table is needed. */
  static final JpegHuffman EMPTY = new JpegHuffman();

  /** Length and symbol, 8 bits each, of the code that the next bits begin with; -1 if longer. */
  final short[] lookup = new short[1 << LOOK_AHEAD];

  /** The largest code of each length, or -1. */
  final int[] maxCode = new int[18];

  /** What is added to a code of a length to index {@link #values}. */
  final int[] valueOffset = new int[18];

  final byte[] values;

  private final int size;

  private JpegHuffman() {
    values = new byte[256];
    size = 0;
  }

  /**
   * @param counts codes of length 1 to 16
   * @param values symbols in the order of their codes
   */
  JpegHuffman(int[] counts, byte[] values) throws ImageException {
    this.values = Arrays.copyOf(values, 256);
    Arrays.fill(lookup, (short) -1);
    int code = 0;
    int index = 0;
    for (int length = 1; length <= 16; length++) {
      int count = counts[length - 1];
      maxCode[length] = count == 0 ? -1 : code + count - 1;
      valueOffset[length] = index - code;
      if (code + count > 1 << length) {
        throw new ImageException("is damaged: it has an invalid JPEG Huffman table");
      }
      for (int i = 0; i < count; i++, code++, index++) {
        if (length <= LOOK_AHEAD) {
          int first = code << (LOOK_AHEAD - length);
          short entry = (short) (length << 8 | this.values[index] & 0xff);
          Arrays.fill(lookup, first, first + (1 << (LOOK_AHEAD - length)), entry);
        }
      }
      code <<= 1;
    }
    size = index;
  }

  /** The typical tables of annex K, for luminance (0) or chrominance (1). */
  static JpegHuffman standard(boolean dc, int index) throws ImageException {
    JPEGHuffmanTable table =
        dc
            ? index == 0 ? JPEGHuffmanTable.StdDCLuminance : JPEGHuffmanTable.StdDCChrominance
            : index == 0 ? JPEGHuffmanTable.StdACLuminance : JPEGHuffmanTable.StdACChrominance;
    int[] counts = new int[16];
    short[] lengths = table.getLengths();
    for (int i = 0; i < lengths.length; i++) {
      counts[i] = lengths[i];
    }
    short[] symbols = table.getValues();
    byte[] values = new byte[symbols.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (byte) symbols[i];
    }
    return new JpegHuffman(counts, values);
  }

  /** DC tables may only hold the categories 0 to 15. */
  void checkDc() throws ImageException {
    for (int i = 0; i < size; i++) {
      if ((values[i] & 0xff) > 15) {
        throw new ImageException("is damaged: it has an invalid JPEG Huffman table");
      }
    }
  }
}
