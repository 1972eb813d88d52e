package dev.tessera.search;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Vectors of one length in memory outside the heap, mostly in mapped files: row after row, each
 * padded with zeros to a whole number of cache lines and so 64-byte aligned. They may lie in
 * several parts; a row's number counts through all of them.
 *
 * <p>Rows are valid as long as their memory is.
 */
public final class Rows {
  /** Floats in a cache line. */
  private static final int LINE = 16;

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int dimensions;
  private final int stride;
  private final MemorySegment[] parts;

  /** The number of the first row of each part, and behind them that of all rows. */
  private final int[] starts;

  private final long[] addresses;

  /**
   * @param dimensions of a vector
   * @param parts each a multiple of {@link #bytes} long and 64-byte aligned
   */
  public Rows(int dimensions, List<MemorySegment> parts) {
    this.dimensions = dimensions;
    this.stride = stride(dimensions);
    this.parts = parts.toArray(MemorySegment[]::new);
    this.starts = new int[this.parts.length + 1];
    this.addresses = new long[this.parts.length];
    for (int i = 0; i < this.parts.length; i++) {
      MemorySegment part = this.parts[i];
      if (part.byteSize() % bytes() != 0 || part.address() % 64 != 0 || !part.isNative()) {
        throw new IllegalArgumentException("part " + i + " holds no aligned rows");
      }
      starts[i + 1] = Math.toIntExact(starts[i] + part.byteSize() / bytes());
      addresses[i] = part.address();
    }
  }

  /** Rows holding a copy of {@code vectors}, all of one length. */
  public static Rows of(Arena arena, float[][] vectors) {
    int dimensions = vectors.length == 0 ? 1 : vectors[0].length;
    long bytes = 4L * stride(dimensions);
    MemorySegment memory = arena.allocate(vectors.length * bytes, 64);
    for (int i = 0; i < vectors.length; i++) {
      MemorySegment.copy(vectors[i], 0, memory, FLOAT, i * bytes, dimensions);
    }
    return new Rows(dimensions, List.of(memory));
  }

  /** Floats from one row to the next. */
  public static int stride(int dimensions) {
    return Math.ceilDiv(dimensions, LINE) * LINE;
  }

  public int dimensions() {
    return dimensions;
  }

  /** Floats from one row to the next. */
  public int stride() {
    return stride;
  }

  /** Bytes from one row to the next. */
  public long bytes() {
    return 4L * stride;
  }

  public int count() {
    return starts[parts.length];
  }

  /** The rows from one on, counted from 0 again. */
  Rows from(int row) {
    List<MemorySegment> rest = new ArrayList<>();
    for (int part = row == count() ? parts.length : part(row); part < parts.length; part++) {
      long skipped = Math.max(0, row - starts[part]) * bytes();
      rest.add(parts[part].asSlice(skipped));
    }
    return new Rows(dimensions, rest);
  }

  /** The vector of a row. */
  public float[] get(int row) {
    float[] vector = new float[dimensions];
    int part = part(row);
    long offset = (row - starts[part]) * bytes();
    MemorySegment.copy(parts[part], FLOAT, offset, vector, 0, dimensions);
    return vector;
  }

  /** The part that holds a row. */
  int part(int row) {
    if (row < 0 || row >= count()) {
      throw new IndexOutOfBoundsException("row " + row + " of " + count());
    }
    if (parts.length == 1) {
      return 0;
    }
    int found = Arrays.binarySearch(starts, row);
    if (found < 0) {
      return -found - 2;
    }
    // Parts may be empty: the last one that starts here has the row.
    while (starts[found + 1] == row) {
      found++;
    }
    return found;
  }

  /** How many rows lie behind {@code row} in its part, itself included. */
  int remaining(int row) {
    return starts[part(row) + 1] - row;
  }

  /** Where a row starts. */
  long address(int row) {
    int part = part(row);
    return addresses[part] + (row - starts[part]) * bytes();
  }
}
