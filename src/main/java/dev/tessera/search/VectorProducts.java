package dev.tessera.search;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Inner products in the Vector API. Memory is read through one constant segment over the whole
 * address space, without bounds checks: addresses come from {@link Rows} and {@link ExactScan},
 * which keep inside what they were given.
 */
final class VectorProducts implements InnerProducts {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int WIDTH = SPECIES.length();
  private static final long BYTES = 4L * WIDTH;
  private static final Set<String> THIRTY_TWO_REGISTERS = Set.of("aarch64", "riscv64");

  /** Sixteen sums need more registers than AVX2 has. */
  private static final boolean WIDE =
      WIDTH == 16 || THIRTY_TWO_REGISTERS.contains(System.getProperty("os.arch", ""));

  private static final int COLUMNS = (WIDE ? 4 : 2) * WIDTH;

  @SuppressWarnings("restricted") // the manifest and the launcher enable native access
  private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  @Override
  public int columns() {
    return COLUMNS;
  }

  private static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(SPECIES, EVERYTHING, address, ByteOrder.LITTLE_ENDIAN);
  }

  private static FloatVector broadcast(long address) {
    return FloatVector.broadcast(SPECIES, EVERYTHING.get(ValueLayout.JAVA_FLOAT, address));
  }

  @Override
  public void row(long query, long rows, int count, int stride, float[] scores) {
    long bytes = 4L * stride;
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      long at = rows + i * bytes;
      four(query, at, at + bytes, at + 2 * bytes, at + 3 * bytes, bytes, scores, i);
    }
    for (; i < count; i++) {
      scores[i] = one(query, rows + i * bytes, bytes);
    }
  }

  @Override
  public void gather(long query, long[] rows, int count, int stride, float[] scores) {
    long bytes = 4L * stride;
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      four(query, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], bytes, scores, i);
    }
    for (; i < count; i++) {
      scores[i] = one(query, rows[i], bytes);
    }
  }

  /** Four rows at once share the loads of the query and keep four reads from memory under way. */
  private static void four(
      long query, long r0, long r1, long r2, long r3, long bytes, float[] scores, int at) {
    FloatVector s0 = FloatVector.zero(SPECIES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (long i = 0; i < bytes; i += BYTES) {
      FloatVector q = load(query + i);
      s0 = load(r0 + i).fma(q, s0);
      s1 = load(r1 + i).fma(q, s1);
      s2 = load(r2 + i).fma(q, s2);
      s3 = load(r3 + i).fma(q, s3);
    }
    scores[at] = s0.reduceLanes(VectorOperators.ADD);
    scores[at + 1] = s1.reduceLanes(VectorOperators.ADD);
    scores[at + 2] = s2.reduceLanes(VectorOperators.ADD);
    scores[at + 3] = s3.reduceLanes(VectorOperators.ADD);
  }

  private static float one(long query, long row, long bytes) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (long i = 0; i < bytes; i += BYTES) {
      sum = load(row + i).fma(load(query + i), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void panel(long panel, long rows, int count, int stride, int depth, float[] scores) {
    long bytes = 4L * stride;
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      if (WIDE) {
        fourByFour(panel, rows + i * bytes, bytes, depth, scores, i * COLUMNS);
      } else {
        fourByTwo(panel, rows + i * bytes, bytes, depth, scores, i * COLUMNS);
      }
    }
    for (; i < count; i++) {
      for (int column = 0; column < COLUMNS; column += WIDTH) {
        FloatVector sum = FloatVector.fromArray(SPECIES, scores, i * COLUMNS + column);
        for (int k = 0; k < depth; k++) {
          sum =
              load(panel + 4L * (k * COLUMNS + column))
                  .fma(broadcast(rows + i * bytes + 4L * k), sum);
        }
        sum.intoArray(scores, i * COLUMNS + column);
      }
    }
  }

  /** Four rows by four vectors of queries: sixteen sums, four loads and four broadcasts a step. */
  private static void fourByFour(
      long panel, long row, long bytes, int depth, float[] scores, int at) {
    int at1 = at + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(SPECIES, scores, at);
    FloatVector s01 = FloatVector.fromArray(SPECIES, scores, at + WIDTH);
    FloatVector s02 = FloatVector.fromArray(SPECIES, scores, at + 2 * WIDTH);
    FloatVector s03 = FloatVector.fromArray(SPECIES, scores, at + 3 * WIDTH);
    FloatVector s10 = FloatVector.fromArray(SPECIES, scores, at1);
    FloatVector s11 = FloatVector.fromArray(SPECIES, scores, at1 + WIDTH);
    FloatVector s12 = FloatVector.fromArray(SPECIES, scores, at1 + 2 * WIDTH);
    FloatVector s13 = FloatVector.fromArray(SPECIES, scores, at1 + 3 * WIDTH);
    FloatVector s20 = FloatVector.fromArray(SPECIES, scores, at2);
    FloatVector s21 = FloatVector.fromArray(SPECIES, scores, at2 + WIDTH);
    FloatVector s22 = FloatVector.fromArray(SPECIES, scores, at2 + 2 * WIDTH);
    FloatVector s23 = FloatVector.fromArray(SPECIES, scores, at2 + 3 * WIDTH);
    FloatVector s30 = FloatVector.fromArray(SPECIES, scores, at3);
    FloatVector s31 = FloatVector.fromArray(SPECIES, scores, at3 + WIDTH);
    FloatVector s32 = FloatVector.fromArray(SPECIES, scores, at3 + 2 * WIDTH);
    FloatVector s33 = FloatVector.fromArray(SPECIES, scores, at3 + 3 * WIDTH);
    long r1 = row + bytes;
    long r2 = r1 + bytes;
    long r3 = r2 + bytes;
    for (int k = 0; k < depth; k++) {
      long p = panel + k * (4 * BYTES);
      FloatVector q0 = load(p);
      FloatVector q1 = load(p + BYTES);
      FloatVector q2 = load(p + 2 * BYTES);
      FloatVector q3 = load(p + 3 * BYTES);
      FloatVector x = broadcast(row + 4L * k);
      s00 = q0.fma(x, s00);
      s01 = q1.fma(x, s01);
      s02 = q2.fma(x, s02);
      s03 = q3.fma(x, s03);
      x = broadcast(r1 + 4L * k);
      s10 = q0.fma(x, s10);
      s11 = q1.fma(x, s11);
      s12 = q2.fma(x, s12);
      s13 = q3.fma(x, s13);
      x = broadcast(r2 + 4L * k);
      s20 = q0.fma(x, s20);
      s21 = q1.fma(x, s21);
      s22 = q2.fma(x, s22);
      s23 = q3.fma(x, s23);
      x = broadcast(r3 + 4L * k);
      s30 = q0.fma(x, s30);
      s31 = q1.fma(x, s31);
      s32 = q2.fma(x, s32);
      s33 = q3.fma(x, s33);
    }
    s00.intoArray(scores, at);
    s01.intoArray(scores, at + WIDTH);
    s02.intoArray(scores, at + 2 * WIDTH);
    s03.intoArray(scores, at + 3 * WIDTH);
    s10.intoArray(scores, at1);
    s11.intoArray(scores, at1 + WIDTH);
    s12.intoArray(scores, at1 + 2 * WIDTH);
    s13.intoArray(scores, at1 + 3 * WIDTH);
    s20.intoArray(scores, at2);
    s21.intoArray(scores, at2 + WIDTH);
    s22.intoArray(scores, at2 + 2 * WIDTH);
    s23.intoArray(scores, at2 + 3 * WIDTH);
    s30.intoArray(scores, at3);
    s31.intoArray(scores, at3 + WIDTH);
    s32.intoArray(scores, at3 + 2 * WIDTH);
    s33.intoArray(scores, at3 + 3 * WIDTH);
  }

  /** Four rows by two vectors of queries, for sixteen registers. */
  private static void fourByTwo(
      long panel, long row, long bytes, int depth, float[] scores, int at) {
    int at1 = at + COLUMNS;
    int at2 = at1 + COLUMNS;
    int at3 = at2 + COLUMNS;
    FloatVector s00 = FloatVector.fromArray(SPECIES, scores, at);
    FloatVector s01 = FloatVector.fromArray(SPECIES, scores, at + WIDTH);
    FloatVector s10 = FloatVector.fromArray(SPECIES, scores, at1);
    FloatVector s11 = FloatVector.fromArray(SPECIES, scores, at1 + WIDTH);
    FloatVector s20 = FloatVector.fromArray(SPECIES, scores, at2);
    FloatVector s21 = FloatVector.fromArray(SPECIES, scores, at2 + WIDTH);
    FloatVector s30 = FloatVector.fromArray(SPECIES, scores, at3);
    FloatVector s31 = FloatVector.fromArray(SPECIES, scores, at3 + WIDTH);
    for (int k = 0; k < depth; k++) {
      long p = panel + k * (2 * BYTES);
      FloatVector q0 = load(p);
      FloatVector q1 = load(p + BYTES);
      FloatVector x = broadcast(row + 4L * k);
      s00 = q0.fma(x, s00);
      s01 = q1.fma(x, s01);
      x = broadcast(row + bytes + 4L * k);
      s10 = q0.fma(x, s10);
      s11 = q1.fma(x, s11);
      x = broadcast(row + 2 * bytes + 4L * k);
      s20 = q0.fma(x, s20);
      s21 = q1.fma(x, s21);
      x = broadcast(row + 3 * bytes + 4L * k);
      s30 = q0.fma(x, s30);
      s31 = q1.fma(x, s31);
    }
    s00.intoArray(scores, at);
    s01.intoArray(scores, at + WIDTH);
    s10.intoArray(scores, at1);
    s11.intoArray(scores, at1 + WIDTH);
    s20.intoArray(scores, at2);
    s21.intoArray(scores, at2 + WIDTH);
    s30.intoArray(scores, at3);
    s31.intoArray(scores, at3 + WIDTH);
  }

  @Override
  public long reached(float[] scores, int at, float[] thresholds) {
    long reached = 0;
    for (int column = 0; column < COLUMNS; column += WIDTH) {
      FloatVector score = FloatVector.fromArray(SPECIES, scores, at + column);
      FloatVector threshold = FloatVector.fromArray(SPECIES, thresholds, column);
      reached |= score.compare(VectorOperators.GE, threshold).toLong() << column;
    }
    return reached;
  }
}
