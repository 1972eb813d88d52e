package dev.tessera.bench;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A protocol buffer message under construction, in the wire format of
 * https://protobuf.dev/programming-guides/encoding. Large fields are referred to, not copied.
 */
final class ProtoMessage {
  private static final int VARINT = 0;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final List<MemorySegment> pieces = new ArrayList<>();
  private long length;

  ProtoMessage varint(int field, long value) {
    ByteBuffer buffer = header(field, VARINT);
    putVarint(buffer, value);
    return append(buffer);
  }

  ProtoMessage varints(int field, long... values) {
    for (long value : values) {
      varint(field, value);
    }
    return this;
  }

  ProtoMessage fixed(int field, float value) {
    return append(header(field, FIXED32).putFloat(value));
  }

  ProtoMessage text(int field, String value) {
    return bytes(field, MemorySegment.ofArray(value.getBytes(StandardCharsets.UTF_8)));
  }

  /** The bytes must stay unchanged until the message is written. */
  ProtoMessage bytes(int field, MemorySegment value) {
    ByteBuffer buffer = header(field, LENGTH_DELIMITED);
    putVarint(buffer, value.byteSize());
    append(buffer);
    return append(value);
  }

  ProtoMessage message(int field, ProtoMessage value) {
    ByteBuffer buffer = header(field, LENGTH_DELIMITED);
    putVarint(buffer, value.length);
    append(buffer);
    pieces.addAll(value.pieces);
    length += value.length;
    return this;
  }

  void writeTo(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (MemorySegment piece : pieces) {
        ByteBuffer buffer = piece.asByteBuffer();
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      }
    }
  }

  private static ByteBuffer header(int field, int wireType) {
    ByteBuffer buffer = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    putVarint(buffer, ((long) field << 3) | wireType);
    return buffer;
  }

  private static void putVarint(ByteBuffer buffer, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      buffer.put((byte) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    buffer.put((byte) rest);
  }

  private ProtoMessage append(ByteBuffer buffer) {
    return append(MemorySegment.ofBuffer(buffer.flip()));
  }

  private ProtoMessage append(MemorySegment piece) {
    pieces.add(piece);
    length += piece.byteSize();
    return this;
  }
}
