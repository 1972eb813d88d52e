package dev.tessera.search;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A part of an index, mapped.
 *
 * <p>{@code .vectors}: a row of {@link Rows} for each picture. {@code .rows}: {@value #RECORD}
 * bytes for each: offset and length of its path in {@code .names}, the number of its root, size and
 * time of the file, SHA-256 of it; little-endian.
 */
final class Segment {
  static final int RECORD = 64;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path index;
  private final int count;
  private final MemorySegment vectors;
  private final MemorySegment records;
  private final MemorySegment names;

  private Segment(
      Path index, int count, MemorySegment vectors, MemorySegment records, MemorySegment names) {
    this.index = index;
    this.count = count;
    this.vectors = vectors;
    this.records = records;
    this.names = names;
  }

  static Segment open(Path index, Manifest.Segment part, int dimensions, Arena arena)
      throws IOException {
    return new Segment(
        index,
        part.rows(),
        map(index, part.name() + ".vectors", 4L * Rows.stride(dimensions) * part.rows(), arena),
        map(index, part.name() + ".rows", (long) RECORD * part.rows(), arena),
        map(index, part.name() + ".names", part.nameBytes(), arena));
  }

  private static MemorySegment map(Path index, String name, long bytes, Arena arena)
      throws IOException {
    if (bytes == 0) {
      return MemorySegment.NULL;
    }
    Path file = index.resolve(name);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() < bytes) {
        throw new IndexException(
            index,
            "is damaged: %s has %d bytes where %d are needed; build it again"
                .formatted(name, channel.size(), bytes));
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
    } catch (NoSuchFileException e) {
      throw new IndexException(index, "is damaged: " + name + " is missing; build it again", e);
    }
  }

  int count() {
    return count;
  }

  MemorySegment vectors() {
    return vectors;
  }

  /** The path of a row. */
  String path(int row) throws IndexException {
    long at = (long) row * RECORD;
    long offset = records.get(LONG, at);
    int length = records.get(INT, at + 8);
    if (offset < 0 || length < 0 || offset > names.byteSize() - length) {
      throw new IndexException(index, "is damaged: row " + row + " has no path; build it again");
    }
    byte[] bytes = names.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  Entry entry(int row, List<Path> roots) throws IndexException {
    long at = (long) row * RECORD;
    int root = records.get(INT, at + 12);
    if (root < 0 || root >= roots.size()) {
      throw new IndexException(index, "is damaged: row " + row + " has no root; build it again");
    }
    return new Entry(
        roots.get(root),
        path(row),
        records.get(LONG, at + 16),
        records.get(LONG, at + 24),
        records.asSlice(at + 32, 32).toArray(ValueLayout.JAVA_BYTE));
  }
}
