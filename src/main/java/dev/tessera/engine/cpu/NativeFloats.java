package dev.tessera.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Vectors at absolute addresses outside the heap: the one place that gives up bounds checks.
 *
 * <p>A kernel that sees several kinds of {@link MemorySegment} gets their type and bounds checks
 * back in its inner loop and loses a quarter of its speed; a single constant segment over the whole
 * address space has none. Addresses come from {@link #allocate} only, and callers keep inside what
 * they allocated.
 */
final class NativeFloats {
  @SuppressWarnings("restricted") // the manifest and the launcher enable native access
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private NativeFloats() {}

  /** The address of {@code count} zeroed floats on a cache line of their own. */
  static long allocate(Arena arena, long count) {
    return arena.allocate(Math.max(count, 1) * Float.BYTES, 64).address();
  }

  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(
        Lanes.SPECIES, EVERYTHING, address, ByteOrder.LITTLE_ENDIAN);
  }

  static void store(FloatVector vector, long address) {
    vector.intoMemorySegment(EVERYTHING, address, ByteOrder.LITTLE_ENDIAN);
  }

  /** Copies {@code count} floats of an array to {@code address}. */
  static void copy(float[] source, int from, long address, int count) {
    MemorySegment.copy(source, from, EVERYTHING, ValueLayout.JAVA_FLOAT, address, count);
  }

  /** Copies {@code count} floats at {@code address} into an array. */
  static void read(long address, float[] target, int to, int count) {
    MemorySegment.copy(EVERYTHING, ValueLayout.JAVA_FLOAT, address, target, to, count);
  }
}
