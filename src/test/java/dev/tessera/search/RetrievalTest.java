package dev.tessera.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetrievalTest {
  @TempDir Path folder;

  /** Worked out by hand: points on a line of angles, a a b a c. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void averagesOverQueriesThatHaveAnother(int threads) throws IOException {
    Path path = folder.resolve("a.index");
    String[] labels = {"a", "a", "b", "a", "c"};
    double[] angles = {0, 0.1, 0.25, 0.45, 0.7};
    try (IndexWriter writer = IndexWriter.create(path, folder, "f", "cls", 2)) {
      int root = writer.root(folder);
      for (int i = 0; i < labels.length; i++) {
        float[] vector = {(float) Math.cos(angles[i]), (float) Math.sin(angles[i])};
        writer.add(vector, root, labels[i] + "/" + i, 1, 1, new byte[32]);
      }
      // Removed, it does not count.
      writer.add(new float[] {1, 0}, root, "a/9", 1, 1, new byte[32]);
      writer.remove(5);
      writer.commit(true);
    }
    try (Index index = Index.open(path, 1)) {
      Retrieval retrieval = Retrieval.of(index, threads);
      // 0: 1 2 3 4 -> a b a c; 1: 0 2 3 4 -> a b a c; 3: 2 4 1 0 -> b c a a.
      double first = (1 + 2.0 / 3) / 2;
      double third = (1.0 / 3 + 2.0 / 4) / 2;
      assertThat(retrieval.queries()).isEqualTo(3);
      assertThat(retrieval.precisionAt5()).isCloseTo(2.0 / 5, within(1e-12));
      assertThat(retrieval.precisionAt10()).isCloseTo(2.0 / 10, within(1e-12));
      assertThat(retrieval.meanAveragePrecision())
          .isCloseTo((2 * first + third) / 3, within(1e-12));
    }
  }

  @Test
  void withoutLabelsThereIsNothingToAsk() throws IOException {
    Path path = folder.resolve("a.index");
    try (IndexWriter writer = IndexWriter.create(path, folder, "f", "cls", 2)) {
      writer.add(new float[] {1, 0}, writer.root(folder), "a/1", 1, 1, new byte[32]);
      writer.commit(true);
    }
    try (Index index = Index.open(path, 1)) {
      assertThat(Retrieval.of(index, 2).queries()).isZero();
    }
  }
}
