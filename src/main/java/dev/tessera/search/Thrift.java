package dev.tessera.search;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes structures in Thrift's compact protocol, as far as Parquet's headers need it
 * (thrift-compact-protocol.md in Apache Thrift). Fields must come in the order of their numbers.
 */
final class Thrift {
  private static final int I32 = 5;
  private static final int I64 = 6;
  private static final int BINARY = 8;
  private static final int LIST = 9;
  private static final int STRUCT = 12;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Deque<Integer> outer = new ArrayDeque<>();
  private int last;

  /** A number in 32 bits, or an enumeration's. */
  Thrift i32(int field, int value) {
    header(field, I32);
    varint(zigzag(value));
    return this;
  }

  Thrift i64(int field, long value) {
    header(field, I64);
    varint(zigzag(value));
    return this;
  }

  Thrift string(int field, String value) {
    header(field, BINARY);
    binary(value);
    return this;
  }

  /** Starts a structure in a field; {@link #end} ends it. */
  Thrift struct(int field) {
    header(field, STRUCT);
    return element();
  }

  /** Starts the next structure of a list; {@link #end} ends it. */
  Thrift element() {
    outer.push(last);
    last = 0;
    return this;
  }

  /** Ends a structure. */
  Thrift end() {
    out.write(0);
    last = outer.pop();
    return this;
  }

  /** Announces {@code size} structures; each is an {@link #element}. */
  Thrift structs(int field, int size) {
    return list(field, size, STRUCT);
  }

  Thrift i32s(int field, int... values) {
    list(field, values.length, I32);
    for (int value : values) {
      varint(zigzag(value));
    }
    return this;
  }

  Thrift strings(int field, String... values) {
    list(field, values.length, BINARY);
    for (String value : values) {
      binary(value);
    }
    return this;
  }

  /** The outermost structure, ended. */
  byte[] toBytes() {
    out.write(0);
    return out.toByteArray();
  }

  private Thrift list(int field, int size, int type) {
    header(field, LIST);
    if (size < 15) {
      out.write(size << 4 | type);
    } else {
      out.write(0xf0 | type);
      varint(size);
    }
    return this;
  }

  private void header(int field, int type) {
    int delta = field - last;
    if (delta < 1 || delta > 15) {
      throw new IllegalArgumentException("field " + field + " after field " + last);
    }
    out.write(delta << 4 | type);
    last = field;
  }

  private void binary(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    varint(bytes.length);
    out.writeBytes(bytes);
  }

  private static long zigzag(long value) {
    return value << 1 ^ value >> 63;
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
