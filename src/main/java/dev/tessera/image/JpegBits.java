package dev.tessera.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The entropy-coded bits of a JPEG scan. At a marker it stops and, as libjpeg, hands out zeros; at
 * the end of the data it fails, because a scan is always followed by a marker.
 */
final class JpegBits {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final byte[] data;
  private int position;
  private long buffer; // the low bits are valid
  private int count;
  private int marker; // found and not yet dealt with; 0 for none
  private boolean exhausted;

  JpegBits(byte[] data, int position) {
    this.data = data;
    this.position = position;
  }

  /** Whether zeros had to be handed out since the last {@link #restart}. */
  boolean exhausted() {
    return exhausted;
  }

  /** Where the bytes after the last marker begin. */
  int position() {
    return position;
  }

  /** An unsigned number of 1 to 16 bits. */
  int get(int bits) throws ImageException {
    if (count < bits) {
      fill(bits);
    }
    count -= bits;
    return (int) (buffer >>> count) & ((1 << bits) - 1);
  }

  /** A number of {@code bits} bits as JPEG codes differences: the lower half is negative. */
  int getSigned(int bits) throws ImageException {
    int value = get(bits);
    return value < 1 << (bits - 1) ? value - (1 << bits) + 1 : value;
  }

  /**
   * The AC coefficients of a block that one scan holds whole, written in natural order from {@code
   * target[at]} on. Returns the position in scan order of the last one, 0 if there is none.
   *
   * <p>The state is kept in local variables for as long as all goes well: decoding spends most of
   * its time here.
   */
  int coefficients(JpegHuffman table, short[] target, int at) throws ImageException {
    byte[] order = JpegScan.NATURAL_ORDER;
    short[] lookup = table.lookup;
    long buffer = this.buffer;
    int count = this.count;
    int end = 0;
    for (int k = 1; k < 64; k++) {
      if (count < 32) {
        this.buffer = buffer;
        this.count = count;
        prefetch();
        buffer = this.buffer;
        count = this.count;
      }
      int symbol;
      int value = 0;
      int entry =
          count < 32
              ? -1
              : lookup[
                  (int) (buffer >>> (count - JpegHuffman.LOOK_AHEAD))
                      & ((1 << JpegHuffman.LOOK_AHEAD) - 1)];
      if (entry >= 0) {
        symbol = entry & 0xff;
        int size = symbol & 15;
        count -= (entry >> 8) + size;
        if (size != 0) {
          value = (int) (buffer >>> count) & ((1 << size) - 1);
          value += value < 1 << (size - 1) ? 1 - (1 << size) : 0;
        }
      } else {
        this.buffer = buffer;
        this.count = count;
        symbol = symbol(table);
        if ((symbol & 15) != 0) {
          value = getSigned(symbol & 15);
        }
        buffer = this.buffer;
        count = this.count;
      }
      if ((symbol & 15) != 0) {
        k += symbol >> 4;
        target[at + order[k]] = (short) value;
        end = k;
      } else if (symbol == 0xf0) {
        k += 15;
      } else {
        break;
      }
    }
    this.buffer = buffer;
    this.count = count;
    return end;
  }

  /** Takes more bits if that is easy; never fails. */
  private void prefetch() throws ImageException {
    if (marker == 0 && position + 128 <= data.length) {
      fill(0);
    }
  }

  /** The next symbol of {@code table}; 0 where the bits are no valid code, as libjpeg. */
  int symbol(JpegHuffman table) throws ImageException {
    if (count < 8) {
      fill(0);
    }
    if (count >= JpegHuffman.LOOK_AHEAD) {
      int entry =
          table
              .lookup[
              (int) (buffer >>> (count - JpegHuffman.LOOK_AHEAD))
                  & ((1 << JpegHuffman.LOOK_AHEAD) - 1)];
      if (entry >= 0) {
        count -= entry >> 8;
        return entry & 0xff;
      }
    }
    return longSymbol(table);
  }

  private int longSymbol(JpegHuffman table) throws ImageException {
    int code = 0;
    for (int length = 1; length <= 16; length++) {
      code = code << 1 | get(1);
      if (code <= table.maxCode[length]) {
        return table.values[(code + table.valueOffset[length]) & 0xff] & 0xff;
      }
    }
    get(1); // libjpeg looks at a 17th bit before it gives up
    return 0;
  }

  private void fill(int wanted) throws ImageException {
    if (marker == 0) {
      if (position + 8 <= data.length) {
        long word = (long) LONG.get(data, position);
        // No byte is 0xff, the only special one: take as many as fit.
        if ((word & ~(word + 0x0101010101010101L) & 0x8080808080808080L) == 0) {
          int bytes = (64 - count) >> 3;
          if (bytes == 8) {
            buffer = word;
          } else {
            buffer = buffer << 8 * bytes | word >>> 64 - 8 * bytes;
          }
          position += bytes;
          count += 8 * bytes;
          return;
        }
      }
      fillSlowly();
    }
    if (wanted > count) {
      exhausted = true;
      buffer <<= 57 - count;
      count = 57;
    }
  }

  private void fillSlowly() throws ImageException {
    while (count <= 56) {
      int value = next();
      if (value == 0xff) {
        do {
          value = next();
        } while (value == 0xff);
        if (value != 0) {
          marker = value;
          return;
        }
        value = 0xff;
      }
      buffer = buffer << 8 | value;
      count += 8;
    }
  }

  private int next() throws ImageException {
    if (position >= data.length) {
      throw new ImageException("is truncated: its JPEG data ends early");
    }
    return data[position++] & 0xff;
  }

  /** The next marker, which may already have been run into. */
  int nextMarker() throws ImageException {
    int found = marker;
    marker = 0;
    while (found == 0) {
      do {
        found = next();
      } while (found != 0xff);
      do {
        found = next();
      } while (found == 0xff);
    }
    count = 0;
    return found;
  }

  /**
   * Goes on after restart marker number {@code expected}; where another marker stands there, with
   * libjpeg's {@code jpeg_resync_to_restart}.
   */
  void restart(int expected) throws ImageException {
    count = 0;
    int found = nextMarker();
    while (true) {
      int number = found - 0xd0;
      if (found < 0xc0
          || (number >= 0
              && number < 8
              && ((number + 1 & 7) == expected || (number + 2 & 7) == expected))) {
        found = nextMarker(); // not a marker, or one that should have come before
        continue;
      }
      boolean later =
          number < 0 || number > 7 || number == (expected + 1 & 7) || number == (expected + 2 & 7);
      if (later) {
        marker = found; // this stretch is missing: leave the marker for later and go on with zeros
        return;
      }
      exhausted = false;
      return;
    }
  }
}
