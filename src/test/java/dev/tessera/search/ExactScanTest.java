package dev.tessera.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against products in double precision, in shapes that fit no tile, by one thread and by three. */
class ExactScanTest {
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1",
    "5, 3, 2, 10",
    "130, 16, 1, 7",
    "1000, 33, 1, 10",
    "1000, 33, 15, 10",
    "777, 129, 16, 5",
    "1023, 200, 65, 9",
    // Enough for the Vector API's kernels.
    "9001, 384, 1, 10",
    "9001, 384, 12, 10",
    "3003, 130, 131, 10",
    "40003, 20, 70, 3",
  })
  void findsTheLargestInnerProducts(int count, int dimensions, int queries, int k) {
    Random random = new Random(count + queries);
    float[][] vectors = vectors(random, count, dimensions);
    float[][] asked = vectors(random, queries, dimensions);
    try (Arena arena = Arena.ofShared()) {
      Rows rows = Rows.of(arena, vectors);
      for (int threads : new int[] {1, 3}) {
        try (ExactScan scan = new ExactScan(threads)) {
          check(vectors, asked, k, null, scan.search(rows, asked, k, null));
          IntPredicate odd = row -> row % 3 == 1;
          check(vectors, asked, k, odd, scan.search(rows, asked, k, odd));
        }
      }
    }
  }

  @Test
  void rowsMayLieInSeveralParts() {
    Random random = new Random(3);
    float[][] vectors = vectors(random, 700, 20);
    float[][] asked = vectors(random, 20, 20);
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(2)) {
      long bytes = Rows.of(arena, vectors).bytes();
      List<MemorySegment> parts =
          List.of(
              memory(arena, bytes, Arrays.copyOfRange(vectors, 0, 131)),
              memory(arena, bytes, new float[0][20]),
              memory(arena, bytes, Arrays.copyOfRange(vectors, 131, 132)),
              memory(arena, bytes, Arrays.copyOfRange(vectors, 132, 700)));
      Rows rows = new Rows(20, parts);
      assertThat(rows.count()).isEqualTo(700);
      for (int row : new int[] {0, 130, 131, 132, 699}) {
        assertThat(rows.get(row)).isEqualTo(vectors[row]);
      }
      assertThatThrownBy(() -> rows.get(700)).isInstanceOf(IndexOutOfBoundsException.class);
      check(vectors, asked, 9, null, scan.search(rows, asked, 9, null));
      check(
          Arrays.copyOfRange(vectors, 131, 700),
          asked,
          9,
          null,
          scan.search(rows.from(131), asked, 9, null));
      assertThat(rows.from(700).count()).isZero();
      assertThat(scan.search(rows.from(700), asked, 9, null).get(19).count()).isZero();
    }
  }

  private static MemorySegment memory(Arena arena, long bytes, float[][] vectors) {
    MemorySegment memory = arena.allocate(bytes * vectors.length, 64);
    for (int i = 0; i < vectors.length; i++) {
      MemorySegment.copy(vectors[i], 0, memory, Rows.FLOAT, i * bytes, vectors[i].length);
    }
    return memory;
  }

  @ParameterizedTest
  @CsvSource({"40, 7, 1", "1500, 33, 3"})
  void joinFindsEveryPairOnce(int count, int dimensions, int threads) {
    float[][] vectors = vectors(new Random(count), count, dimensions);
    Set<Long> expected = new HashSet<>();
    float threshold = (float) (2.2 * Math.sqrt(dimensions));
    for (int row = 0; row < count; row++) {
      for (int other = row + 1; other < count; other++) {
        double score = 0;
        for (int i = 0; i < dimensions; i++) {
          score += (double) vectors[row][i] * vectors[other][i];
        }
        if (score >= threshold) {
          expected.add((long) row << 32 | other);
        }
      }
    }
    assertThat(expected).isNotEmpty();
    List<Long> found = Collections.synchronizedList(new ArrayList<>());
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(threads)) {
      scan.join(
          Rows.of(arena, vectors),
          threshold,
          (row, other, score) -> found.add((long) row << 32 | other));
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void equalRowsComeInTheirOrder() {
    float[][] vectors = new float[300][];
    Arrays.fill(vectors, new float[] {1, 0, 0});
    vectors[7] = new float[] {2, 0, 0};
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(1)) {
      Neighbors found =
          scan.search(Rows.of(arena, vectors), new float[][] {{1, 5, 5}}, 4, null).getFirst();
      assertThat(found.rows()).containsExactly(7, 0, 1, 2);
      assertThat(found.scores()).containsExactly(2, 1, 1, 1);
    }
  }

  @Test
  void vectorsThatAreNoNumbersAreNotFound() {
    float[][] vectors = {{1, 0}, {Float.NaN, 1}, {0, 1}};
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(1)) {
      Rows rows = Rows.of(arena, vectors);
      assertThat(scan.search(rows, new float[][] {{0, 1}}, 3, null).getFirst().rows())
          .containsExactly(2, 0);
      assertThat(scan.search(rows, new float[][] {{Float.NaN, 1}}, 3, null).getFirst().rows())
          .isEmpty();
      assertThatThrownBy(() -> scan.search(rows, new float[][] {{1, 2, 3}}, 3, null))
          .hasMessageContaining("a query of 3 numbers for vectors of 2");
    }
  }

  static float[][] vectors(Random random, int count, int dimensions) {
    float[][] vectors = new float[count][dimensions];
    for (float[] vector : vectors) {
      for (int i = 0; i < dimensions; i++) {
        vector[i] = (float) random.nextGaussian();
      }
    }
    return vectors;
  }

  private static void check(
      float[][] vectors,
      float[][] queries,
      int k,
      @Nullable IntPredicate accepted,
      List<Neighbors> found) {
    assertThat(found).hasSameSizeAs(queries);
    for (int q = 0; q < queries.length; q++) {
      float[] query = queries[q];
      double[] scores = new double[vectors.length];
      for (int row = 0; row < vectors.length; row++) {
        for (int i = 0; i < query.length; i++) {
          scores[row] += (double) query[i] * vectors[row][i];
        }
      }
      double[] best =
          IntStream.range(0, vectors.length)
              .filter(row -> accepted == null || accepted.test(row))
              .boxed()
              .sorted(Comparator.comparingDouble(row -> -scores[row]))
              .limit(k)
              .mapToDouble(row -> scores[row])
              .toArray();
      Neighbors neighbors = found.get(q);
      assertThat(neighbors.count()).isEqualTo(best.length);
      for (int i = 0; i < best.length; i++) {
        int row = neighbors.rows()[i];
        assertThat(accepted == null || accepted.test(row)).isTrue();
        assertThat((double) neighbors.scores()[i]).isCloseTo(scores[row], within(1e-4));
        assertThat(scores[row]).isCloseTo(best[i], within(1e-4));
      }
      assertThat(Arrays.stream(neighbors.rows()).distinct().count()).isEqualTo(best.length);
    }
  }
}
