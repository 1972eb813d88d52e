package dev.tessera.search;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Inner products in plain loops: where there is no Vector API, and where there is so little to do
 * that compiling vector code would take longer.
 */
final class PlainProducts implements InnerProducts {
  /**
   * Multiplications below which this is faster: Vector API code runs thousands of times slower
   * until the JIT has compiled it.
   */
  static final double ENOUGH = 2e7;

  private static final int COLUMNS = 8;

  @SuppressWarnings("restricted") // the manifest and the launcher enable native access
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  @Override
  public int columns() {
    return COLUMNS;
  }

  @Override
  public void row(long query, long rows, int count, int stride, float[] scores) {
    for (int i = 0; i < count; i++) {
      scores[i] = product(query, rows + 4L * stride * i, stride);
    }
  }

  @Override
  public void gather(long query, long[] rows, int count, int stride, float[] scores) {
    for (int i = 0; i < count; i++) {
      scores[i] = product(query, rows[i], stride);
    }
  }

  /** Eight sums side by side, so that no addition waits for the one before. */
  private static float product(long query, long row, int stride) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    float e = 0;
    float f = 0;
    float g = 0;
    float h = 0;
    for (long i = 0; i < 4L * stride; i += 32) {
      a += get(query + i) * get(row + i);
      b += get(query + i + 4) * get(row + i + 4);
      c += get(query + i + 8) * get(row + i + 8);
      d += get(query + i + 12) * get(row + i + 12);
      e += get(query + i + 16) * get(row + i + 16);
      f += get(query + i + 20) * get(row + i + 20);
      g += get(query + i + 24) * get(row + i + 24);
      h += get(query + i + 28) * get(row + i + 28);
    }
    return a + b + (c + d) + (e + f + (g + h));
  }

  private static float get(long address) {
    return EVERYTHING.get(ValueLayout.JAVA_FLOAT, address);
  }

  @Override
  public void panel(long panel, long rows, int count, int stride, int depth, float[] scores) {
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < depth; k++) {
        float x = get(rows + 4L * ((long) i * stride + k));
        for (int column = 0; column < COLUMNS; column++) {
          scores[i * COLUMNS + column] += x * get(panel + 4L * (k * COLUMNS + column));
        }
      }
    }
  }

  @Override
  public long reached(float[] scores, int at, float[] thresholds) {
    long reached = 0;
    for (int i = 0; i < COLUMNS; i++) {
      reached |= scores[at + i] >= thresholds[i] ? 1L << i : 0;
    }
    return reached;
  }
}
