package dev.tessera.image;

/** VP8's arithmetic decoder; RFC 6386, section 7. Past its end it reads zeros and says so. */
final class Vp8BoolDecoder {
  private final byte[] data;
  private final int end;
  private int position;
  private int range = 254; // the RFC's range minus 1
  private long value;
  private int bits = -8;
  private boolean exhausted;

  Vp8BoolDecoder(byte[] data, int from, int to) {
    this.data = data;
    this.position = from;
    this.end = to;
  }

  /** Whether more was read than there is. */
  boolean exhausted() {
    return exhausted;
  }

  /** The next bit, which is 0 with {@code probability} / 256. */
  int bit(int probability) {
    if (bits < 0) {
      load();
    }
    int split = (range * probability) >> 8;
    int high = (int) (value >> bits);
    int bit;
    int next;
    if (high > split) {
      next = range - split;
      value -= (long) (split + 1) << bits;
      bit = 1;
    } else {
      next = split + 1;
      bit = 0;
    }
    int shift = Integer.numberOfLeadingZeros(next) - 24;
    bits -= shift;
    range = (next << shift) - 1;
    return bit;
  }

  private void load() {
    if (end - position >= 4) {
      int word =
          (data[position] & 0xff) << 24
              | (data[position + 1] & 0xff) << 16
              | (data[position + 2] & 0xff) << 8
              | data[position + 3] & 0xff;
      value = value << 32 | word & 0xffffffffL;
      position += 4;
      bits += 32;
    } else if (position < end) {
      value = value << 8 | data[position++] & 0xff;
      bits += 8;
    } else {
      value <<= 8;
      bits += 8;
      exhausted = true;
    }
  }

  boolean flag() {
    return bit(128) != 0;
  }

  /** An unsigned number of {@code count} bits. */
  int number(int count) {
    int number = 0;
    for (int i = 0; i < count; i++) {
      number = number << 1 | bit(128);
    }
    return number;
  }

  /** A magnitude of {@code count} bits and a sign. */
  int signed(int count) {
    int magnitude = number(count);
    return flag() ? -magnitude : magnitude;
  }

  /** 0, or a {@link #signed} number if a flag says so. */
  int optionalSigned(int count) {
    return flag() ? signed(count) : 0;
  }
}
