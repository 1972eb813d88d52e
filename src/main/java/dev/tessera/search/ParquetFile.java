package dev.tessera.search;

import dev.tessera.checkpoint.AtomicFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes vectors as Apache Parquet: a column {@code id} of strings and a column {@code embedding}
 * of lists of float32, neither of them ever null. Not compressed, since vectors do not compress.
 *
 * <p>After the format's own specification (parquet-format 2.x, README and parquet.thrift), of which
 * this is the smallest part that holds the two columns: one page of version 1 for each column of a
 * row group.
 */
final class ParquetFile implements Closeable {
  private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);

  /** Bytes of vectors in one row group: what is held in memory. */
  private static final int GROUP_BYTES = 16 << 20;

  // Of parquet.thrift: types, repetitions, encodings, converted types.
  private static final int FLOAT = 4;
  private static final int BYTE_ARRAY = 6;
  private static final int REQUIRED = 0;
  private static final int REPEATED = 2;
  private static final int PLAIN = 0;
  private static final int RLE = 3;
  private static final int UTF8 = 0;
  private static final int LIST = 3;

  /** A column of a row group in the file. */
  private record Chunk(long offset, long bytes, long values) {}

  private record Group(long rows, Chunk ids, Chunk vectors) {}

  private final FileChannel channel;
  private final int dimensions;
  private final int rowsPerGroup;
  private final Map<String, String> metadata;
  private final List<Group> groups = new ArrayList<>();
  private final List<byte[]> ids = new ArrayList<>();
  private final ByteBuffer vectors;
  private long rows;

  ParquetFile(Path file, int dimensions, Map<String, String> metadata) throws IOException {
    this.dimensions = dimensions;
    this.metadata = metadata;
    this.rowsPerGroup = Math.max(1, GROUP_BYTES / (4 * dimensions));
    this.vectors =
        ByteBuffer.allocate(rowsPerGroup * 4 * dimensions).order(ByteOrder.LITTLE_ENDIAN);
    this.channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    AtomicFile.drain(channel, ByteBuffer.wrap(MAGIC));
  }

  void append(String id, float[] vector) throws IOException {
    ids.add(id.getBytes(StandardCharsets.UTF_8));
    for (float value : vector) {
      vectors.putFloat(value);
    }
    rows++;
    if (ids.size() == rowsPerGroup) {
      writeGroup();
    }
  }

  /** Writes what says where everything is. */
  void finish() throws IOException {
    if (!ids.isEmpty()) {
      writeGroup();
    }
    byte[] footer = footer();
    AtomicFile.drain(channel, ByteBuffer.wrap(footer));
    ByteBuffer end = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    AtomicFile.drain(channel, end.putInt(footer.length).put(MAGIC).flip());
    channel.force(false);
  }

  private void writeGroup() throws IOException {
    int size = 0;
    for (byte[] id : ids) {
      size += 4 + id.length;
    }
    ByteBuffer names = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    for (byte[] id : ids) {
      names.putInt(id.length).put(id);
    }
    Chunk idChunk = writePage(ids.size(), ByteBuffer.allocate(0), names.flip());
    int values = ids.size() * dimensions;
    Chunk vectorChunk = writePage(values, levels(ids.size()), vectors.flip());
    groups.add(new Group(ids.size(), idChunk, vectorChunk));
    ids.clear();
    vectors.clear();
  }

  private Chunk writePage(int values, ByteBuffer levels, ByteBuffer data) throws IOException {
    long offset = channel.position();
    int size = levels.remaining() + data.remaining();
    Thrift header = new Thrift().i32(1, 0).i32(2, size).i32(3, size);
    header.struct(5).i32(1, values).i32(2, PLAIN).i32(3, RLE).i32(4, RLE).end();
    AtomicFile.drain(channel, ByteBuffer.wrap(header.toBytes()));
    AtomicFile.drain(channel, levels);
    AtomicFile.drain(channel, data);
    return new Chunk(offset, channel.position() - offset, values);
  }

  /**
   * Repetition and definition levels of so many lists: 0 where a list starts and 1 within it, and 1
   * for every number that is there. Runs, each after its length (RLE of one bit).
   */
  private ByteBuffer levels(int lists) {
    ByteBuffer levels = ByteBuffer.allocate(32 + lists * 8).order(ByteOrder.LITTLE_ENDIAN);
    levels.putInt(0);
    for (int i = 0; i < lists; i++) {
      run(levels, 1, 0);
      if (dimensions > 1) {
        run(levels, dimensions - 1, 1);
      }
    }
    levels.putInt(0, levels.position() - 4);
    int start = levels.position();
    levels.putInt(0);
    run(levels, lists * dimensions, 1);
    levels.putInt(start, levels.position() - start - 4);
    return levels.flip();
  }

  private static void run(ByteBuffer out, int length, int value) {
    int rest = length << 1;
    while ((rest & ~0x7f) != 0) {
      out.put((byte) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    out.put((byte) rest).put((byte) value);
  }

  private byte[] footer() {
    Thrift footer = new Thrift().i32(1, 1).structs(2, 5);
    footer.element().string(4, "schema").i32(5, 2).end();
    footer.element().i32(1, BYTE_ARRAY).i32(3, REQUIRED).string(4, "id").i32(6, UTF8).end();
    footer.element().i32(3, REQUIRED).string(4, "embedding").i32(5, 1).i32(6, LIST).end();
    footer.element().i32(3, REPEATED).string(4, "list").i32(5, 1).end();
    footer.element().i32(1, FLOAT).i32(3, REQUIRED).string(4, "element").end();
    footer.i64(3, rows).structs(4, groups.size());
    for (Group group : groups) {
      footer.element().structs(1, 2);
      column(footer, group.ids, BYTE_ARRAY, "id");
      column(footer, group.vectors, FLOAT, "embedding", "list", "element");
      footer.i64(2, group.ids.bytes + group.vectors.bytes).i64(3, group.rows).end();
    }
    footer.structs(5, metadata.size());
    for (Map.Entry<String, String> entry : metadata.entrySet()) {
      footer.element().string(1, entry.getKey()).string(2, entry.getValue()).end();
    }
    return footer.string(6, "tessera").toBytes();
  }

  private static void column(Thrift out, Chunk chunk, int type, String... path) {
    out.element().i64(2, chunk.offset).struct(3);
    out.i32(1, type).i32s(2, PLAIN, RLE).strings(3, path).i32(4, 0).i64(5, chunk.values);
    out.i64(6, chunk.bytes).i64(7, chunk.bytes).i64(9, chunk.offset).end().end();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
