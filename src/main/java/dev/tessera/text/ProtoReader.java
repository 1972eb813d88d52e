package dev.tessera.text;

import java.util.Arrays;

/**
 * Reads one message in the <a href="https://protobuf.dev/programming-guides/encoding/">wire
 * format</a> of protocol buffers, field by field; a field that is not asked for is passed over.
 *
 * <p>Everything that is wrong with the bytes is an {@link IllegalArgumentException}.
 */
final class ProtoReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final byte[] data;
  private final int end;
  private int at;
  private int field;
  private int type;

  /** Where the current field's value is; behind it comes the next field. */
  private int value;

  ProtoReader(byte[] data) {
    this(data, 0, data.length);
  }

  private ProtoReader(byte[] data, int from, int to) {
    this.data = data;
    this.at = from;
    this.end = to;
  }

  /** Goes on to the next field; false at the end of the message. */
  boolean next() {
    if (at == end) {
      return false;
    }
    long tag = varint();
    field = (int) (tag >>> 3);
    type = (int) (tag & 7);
    if (tag >>> 3 == 0 || tag >>> 3 > 0x1fff_ffff) {
      throw new IllegalArgumentException("a field has the number " + (tag >>> 3));
    }
    switch (type) {
      case VARINT -> {
        value = at;
        varint();
      }
      case FIXED64 -> skip(8);
      case FIXED32 -> skip(4);
      case BYTES -> {
        long length = varint();
        if (length < 0 || length > end - at) {
          throw new IllegalArgumentException("a field is longer than the file");
        }
        skip((int) length);
      }
      default -> throw new IllegalArgumentException("a field is of the unknown type " + type);
    }
    return true;
  }

  /** The number of the current field. */
  int field() {
    return field;
  }

  /** The current field as an integer or a truth value. */
  long integer() {
    require(VARINT);
    int after = at;
    at = value;
    long number = varint();
    at = after;
    return number;
  }

  float float32() {
    require(FIXED32);
    return Float.intBitsToFloat(
        (data[value] & 0xff)
            | (data[value + 1] & 0xff) << 8
            | (data[value + 2] & 0xff) << 16
            | (data[value + 3] & 0xff) << 24);
  }

  byte[] bytes() {
    require(BYTES);
    return Arrays.copyOfRange(data, value, at);
  }

  /** The current field as a message of its own. */
  ProtoReader message() {
    require(BYTES);
    return new ProtoReader(data, value, at);
  }

  private void require(int wanted) {
    if (type != wanted) {
      throw new IllegalArgumentException("field " + field + " is of the type " + type);
    }
  }

  private void skip(int count) {
    if (count > end - at) {
      throw new IllegalArgumentException("it ends within a field");
    }
    value = at;
    at += count;
  }

  private long varint() {
    long result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == end) {
        throw new IllegalArgumentException("it ends within a number");
      }
      byte b = data[at++];
      result |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return result;
      }
    }
    throw new IllegalArgumentException("a number has more than ten bytes");
  }
}
