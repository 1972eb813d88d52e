package dev.tessera.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.model.ImageEmbedder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HnswTest {
  @TempDir Path folder;

  @Test
  void findsNearlyWhatTheExactScanFinds() throws IOException {
    Random random = new Random(11);
    float[][] vectors = clustered(random, 4000, 24);
    float[][] queries = clustered(random, 100, 24);
    Path file = folder.resolve("graph");
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(1)) {
      Rows rows = Rows.of(arena, vectors);
      for (int threads : new int[] {1, 3}) {
        Hnsw.build(rows, threads, file);
        Hnsw graph = Hnsw.open(file, rows, arena);
        assertThat(graph.count()).isEqualTo(4000);
        List<Neighbors> truth = scan.search(rows, queries, 10, null);
        List<Neighbors> third = scan.search(rows, queries, 10, row -> row % 3 == 0);
        int found = 0;
        int foundThird = 0;
        for (int i = 0; i < queries.length; i++) {
          Neighbors neighbors = graph.search(queries[i], 10, 100, null);
          assertThat(neighbors.count()).isEqualTo(10);
          found += common(neighbors, truth.get(i));
          Neighbors some = graph.search(queries[i], 10, 100, row -> row % 3 == 0);
          assertThat(Arrays.stream(some.rows())).allMatch(row -> row % 3 == 0);
          foundThird += common(some, third.get(i));
        }
        assertThat(found).isGreaterThan(970);
        assertThat(foundThird).isGreaterThan(950);
      }
    }
  }

  private static int common(Neighbors one, Neighbors other) {
    Set<Integer> rows = new HashSet<>();
    Arrays.stream(one.rows()).forEach(rows::add);
    rows.retainAll(Arrays.stream(other.rows()).boxed().toList());
    return rows.size();
  }

  private static float[][] clustered(Random random, int count, int dimensions) {
    float[][] centres = ExactScanTest.vectors(new Random(5), 40, dimensions);
    float[][] vectors = ExactScanTest.vectors(random, count, dimensions);
    for (float[] vector : vectors) {
      float[] centre = centres[random.nextInt(centres.length)];
      for (int i = 0; i < dimensions; i++) {
        vector[i] = centre[i] + 0.5f * vector[i];
      }
      ImageEmbedder.normalize(vector);
    }
    return vectors;
  }

  @Test
  void refusesFilesThatAreNoGraphOverTheseRows() throws IOException {
    Path file = folder.resolve("graph");
    try (Arena arena = Arena.ofShared()) {
      Rows rows = Rows.of(arena, clustered(new Random(1), 300, 8));
      Hnsw.build(rows, 1, file);
      byte[] whole = Files.readAllBytes(file);
      Rows fewer = Rows.of(arena, clustered(new Random(1), 299, 8));
      assertThatThrownBy(() -> Hnsw.open(file, fewer, arena))
          .hasMessageContaining("no intact graph");
      for (int cut : new int[] {0, 3, 23, 24, 100, whole.length - 1}) {
        Files.write(file, Arrays.copyOf(whole, cut));
        assertThatThrownBy(() -> Hnsw.open(file, rows, arena))
            .as("cut at %d", cut)
            .isInstanceOf(IOException.class)
            .hasMessageContaining("no intact graph");
      }
      for (int at : new int[] {0, 7, 8, 12, 16, 20, 24}) {
        byte[] damaged = whole.clone();
        damaged[at] ^= 0x55;
        Files.write(file, damaged);
        assertThatThrownBy(() -> Hnsw.open(file, rows, arena))
            .as("damaged at %d", at)
            .hasMessageContaining("no intact graph");
      }
    }
  }
}
