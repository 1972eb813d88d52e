package dev.tessera.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A dense, row-major, little-endian tensor in memory outside the heap.
 *
 * <p>Weights are views of the memory-mapped checkpoint, so their element type is the file's and
 * their alignment is whatever the file gave them; tensors made by {@link #allocate} are 64-byte
 * aligned. A tensor lives as long as the {@link Arena} its {@code data} came from.
 *
 * @param dtype element type
 * @param shape extents, outermost first
 * @param data exactly {@code shape.elements() * dtype.bytes()} bytes
 */
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
  /** Alignment in bytes of tensors made here: one cache line, one 512-bit vector. */
  public static final long ALIGNMENT = 64;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public Tensor {
    long expected = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          dtype + " " + shape + " needs " + expected + " bytes, got " + data.byteSize());
    }
  }

  /** A zeroed tensor that lives as long as {@code arena}. */
  public static Tensor allocate(Arena arena, DType dtype, Shape shape) {
    long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    return new Tensor(dtype, shape, arena.allocate(bytes, ALIGNMENT));
  }

  /** An F32 tensor holding a copy of {@code values}, reclaimed by the garbage collector. */
  public static Tensor of(Shape shape, float... values) {
    Tensor tensor = allocate(Arena.ofAuto(), DType.F32, shape);
    tensor.checkLength(values.length);
    MemorySegment.copy(values, 0, tensor.data, FLOAT, 0, values.length);
    return tensor;
  }

  /** An I64 tensor holding a copy of {@code values}, reclaimed by the garbage collector. */
  public static Tensor of(Shape shape, long... values) {
    Tensor tensor = allocate(Arena.ofAuto(), DType.I64, shape);
    tensor.checkLength(values.length);
    MemorySegment.copy(values, 0, tensor.data, LONG, 0, values.length);
    return tensor;
  }

  /** A U8 tensor holding a copy of {@code values}, reclaimed by the garbage collector. */
  public static Tensor of(Shape shape, byte... values) {
    Tensor tensor = allocate(Arena.ofAuto(), DType.U8, shape);
    tensor.checkLength(values.length);
    MemorySegment.copy(values, 0, tensor.data, ValueLayout.JAVA_BYTE, 0, values.length);
    return tensor;
  }

  /** The same elements under another shape with as many elements. No copy. */
  public Tensor reshape(Shape other) {
    if (other.elements() != shape.elements()) {
      throw new IllegalArgumentException("cannot view " + shape + " as " + other);
    }
    return new Tensor(dtype, other, data);
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive) of the outermost axis. No copy. */
  public Tensor slice(int from, int to) {
    long row = data.byteSize() / Math.max(1, shape.extent(0));
    return new Tensor(dtype, shape.with(0, to - from), data.asSlice(from * row, (to - from) * row));
  }

  /** All elements as floats; F16 and BF16 are widened exactly, F64 is rounded. */
  public float[] toFloats() {
    float[] values = new float[Math.toIntExact(shape.elements())];
    copyTo(0, values, 0, values.length);
    return values;
  }

  /** Copies {@code count} elements, starting at element {@code from}, as floats. */
  public void copyTo(long from, float[] target, int offset, int count) {
    switch (dtype) {
      case F32 -> MemorySegment.copy(data, FLOAT, from * 4, target, offset, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target[offset + i] = Float.float16ToFloat(data.get(SHORT, (from + i) * 2));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target[offset + i] = Float.intBitsToFloat(data.get(SHORT, (from + i) * 2) << 16);
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          target[offset + i] = (float) data.get(DOUBLE, (from + i) * 8);
        }
      }
      case I64, I32, I16, I8, U8, BOOL -> {
        for (int i = 0; i < count; i++) {
          target[offset + i] = integer(from + i);
        }
      }
    }
  }

  /** All elements as integers. Fails on the floating types. */
  public long[] toLongs() {
    long[] values = new long[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = integer(i);
    }
    return values;
  }

  private long integer(long index) {
    return switch (dtype) {
      case I64 -> data.get(LONG, index * 8);
      case I32 -> data.get(INT, index * 4);
      case I16 -> data.get(SHORT, index * 2);
      case I8 -> data.get(ValueLayout.JAVA_BYTE, index);
      case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, index) & 0xff;
      case F64, F32, F16, BF16 -> throw new IllegalStateException(dtype + " holds no integers");
    };
  }

  private void checkLength(int length) {
    if (length != shape.elements()) {
      throw new IllegalArgumentException(shape + " does not hold " + length + " values");
    }
  }
}
