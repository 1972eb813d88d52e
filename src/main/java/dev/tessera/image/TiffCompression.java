package dev.tessera.image;

import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Unpacks the strips and tiles of TIFF files: none, PackBits, LZW, deflate; and predictors. */
final class TiffCompression {
  static final int NONE = 1;
  static final int JPEG = 7;
  private static final int LZW = 5;
  private static final int DEFLATE = 8;
  private static final int OLD_DEFLATE = 32946;
  private static final int PACK_BITS = 32773;

  private TiffCompression() {}

  static boolean supports(int compression) {
    return compression == NONE || expansion(compression) > 0;
  }

  /** How many bytes one packed byte can become at most; 0 if the compression is not known here. */
  private static int expansion(int compression) {
    return switch (compression) {
      case NONE -> 1;
      case LZW -> 2800; // 12 bits for at most 4094 bytes
      case DEFLATE, OLD_DEFLATE -> 1040;
      case PACK_BITS -> 64;
      default -> 0;
    };
  }

  /**
   * The {@code size} bytes that {@code data[from .. from + count)} unpacks to.
   *
   * @throws ImageException if there are fewer; excess is ignored
   */
  static byte[] unpack(byte[] data, int from, int count, int compression, long size)
      throws ImageException {
    if (size > 1 << 16 && size > (long) count * expansion(compression)
        || size > Integer.MAX_VALUE - 64) {
      throw truncated();
    }
    byte[] out = new byte[(int) size];
    switch (compression) {
      case NONE -> {
        if (count < size) {
          throw truncated();
        }
        System.arraycopy(data, from, out, 0, out.length);
      }
      case PACK_BITS -> packBits(data, from, from + count, out);
      case LZW -> lzw(data, from, from + count, out);
      default -> inflate(data, from, count, out);
    }
    return out;
  }

  private static ImageException truncated() {
    return new ImageException("is truncated: its TIFF data ends early");
  }

  private static void packBits(byte[] data, int from, int to, byte[] out) throws ImageException {
    int at = from;
    int done = 0;
    while (done < out.length) {
      if (at >= to) {
        throw truncated();
      }
      int n = data[at++];
      if (n >= 0) {
        int count = Math.min(n + 1, out.length - done);
        if (at + count > to) {
          throw truncated();
        }
        System.arraycopy(data, at, out, done, count);
        at += n + 1;
        done += count;
      } else if (n != -128) {
        if (at >= to) {
          throw truncated();
        }
        int count = Math.min(1 - n, out.length - done);
        Arrays.fill(out, done, done + count, data[at++]);
        done += count;
      }
    }
  }

  /** TIFF's LZW: most significant bit first, codes widened one early; TIFF 6.0, section 13. */
  private static void lzw(byte[] data, int from, int to, byte[] out) throws ImageException {
    int[] starts = new int[4097]; // where in out a code's string was last written
    int[] lengths = new int[4097];
    int next = 258;
    int width = 9;
    int previousStart = 0;
    int previousLength = 0;
    int buffer = 0;
    int bits = 0;
    int at = from;
    int done = 0;
    while (done < out.length) {
      while (bits < width) {
        if (at >= to) {
          throw truncated();
        }
        buffer = buffer << 8 | data[at++] & 0xff;
        bits += 8;
      }
      bits -= width;
      int code = buffer >>> bits & ((1 << width) - 1);
      if (code == 257) {
        throw truncated();
      }
      if (code == 256) {
        next = 258;
        width = 9;
        previousLength = 0;
        continue;
      }
      int start = done;
      if (code < 256) {
        out[done++] = (byte) code;
      } else {
        // The string of a code is that of the code before it and one more byte, and stands in out.
        boolean known = code < next;
        if (previousLength == 0 || code > next) {
          throw new ImageException("is damaged: its TIFF data is not valid LZW");
        }
        int source = known ? starts[code] : previousStart;
        int length = known ? lengths[code] : previousLength + 1;
        for (int i = 0; i < length && done < out.length; i++) {
          out[done++] = out[source + i];
        }
      }
      if (previousLength > 0 && next < 4096) {
        starts[next] = previousStart;
        lengths[next] = previousLength + 1;
        next++;
      }
      previousStart = start;
      previousLength = done - start;
      width = next + 1 >= 2048 ? 12 : next + 1 >= 1024 ? 11 : next + 1 >= 512 ? 10 : 9;
    }
  }

  private static void inflate(byte[] data, int from, int count, byte[] out) throws ImageException {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(data, from, count);
      int done = 0;
      while (done < out.length) {
        int n = inflater.inflate(out, done, out.length - done);
        if (n == 0) {
          throw truncated();
        }
        done += n;
      }
    } catch (DataFormatException e) {
      throw new ImageException("is damaged: its compressed TIFF data is invalid", e);
    } finally {
      inflater.end();
    }
  }

  /**
   * Undoes horizontal differencing (predictor 2) or byte-wise differencing of floats (3); TIFF 6.0,
   * section 14, and TIFF Technical Note 3.
   *
   * @param samples interleaved samples of {@code bits} bits
   */
  static void undoPredictor(
      byte[] rows, int rowBytes, int predictor, int samples, int bits, boolean bigEndian)
      throws ImageException {
    if (predictor == 2 && bits % 8 == 0) {
      for (int row = 0; row + rowBytes <= rows.length; row += rowBytes) {
        addPrevious(rows, row, row + rowBytes, samples, bits / 8, bigEndian);
      }
    } else if (predictor == 3 && bits % 8 == 0) {
      byte[] copy = new byte[rowBytes];
      int size = bits / 8;
      int count = rowBytes / size;
      for (int row = 0; row + rowBytes <= rows.length; row += rowBytes) {
        addPrevious(rows, row, row + rowBytes, samples, 1, bigEndian);
        System.arraycopy(rows, row, copy, 0, rowBytes);
        // The bytes of equal significance stand together, the most significant first.
        for (int i = 0; i < count; i++) {
          for (int b = 0; b < size; b++) {
            int place = bigEndian ? b : size - 1 - b;
            rows[row + i * size + place] = copy[b * count + i];
          }
        }
      }
    } else if (predictor != 1) {
      throw new ImageException(
          "is a TIFF file with predictor %d, which is not supported".formatted(predictor));
    }
  }

  /** Adds to every sample of a row the one before it, {@code size} bytes each. */
  private static void addPrevious(
      byte[] rows, int from, int to, int samples, int size, boolean bigEndian) {
    int step = samples * size;
    for (int at = from + step; at + size <= to; at += size) {
      int carry = 0;
      for (int b = 0; b < size; b++) {
        int i = at + (bigEndian ? size - 1 - b : b);
        int sum = (rows[i] & 0xff) + (rows[i - step] & 0xff) + carry;
        rows[i] = (byte) sum;
        carry = sum >> 8;
      }
    }
  }
}
