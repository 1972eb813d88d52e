package dev.tessera.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.model.ImageEmbedder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IndexTest {
  private static final int DIMENSIONS = 20;

  @TempDir Path folder;

  @Test
  void keepsWhatWasCommittedAndFindsIt() throws IOException {
    Path path = folder.resolve("a.index");
    float[][] vectors = vectors(60);
    try (IndexWriter writer = create(path)) {
      int root = writer.root(folder.resolve("photos"));
      add(writer, root, vectors, 0, 25);
      writer.commit(false);
      add(writer, root, vectors, 25, 40);
      writer.commit(true);
      add(writer, root, vectors, 40, 50);
    }
    try (Index index = Index.open(path, 1)) {
      assertThat(index.count()).isEqualTo(40);
      assertThat(index.isComplete()).isTrue();
      assertThat(index.model()).isEqualTo(folder.resolve("model"));
      for (int row = 0; row < 40; row++) {
        assertThat(index.rows().get(row)).isEqualTo(vectors[row]);
        Entry entry = index.entry(row);
        assertThat(entry.path()).isEqualTo("ä" + row % 3 + "/picture " + row + ".png");
        assertThat(entry.label()).isEqualTo("ä" + row % 3);
        assertThat(entry.file()).isEqualTo(folder.resolve("photos").resolve(entry.path()));
        assertThat(entry.size()).isEqualTo(1000L + row);
        assertThat(entry.modified()).isEqualTo(7L * row);
        assertThat(entry.hash()).containsOnly(row);
      }
      List<Index.Hit> hits = index.search(vectors[13], 3, null, false);
      assertThat(hits).hasSize(3);
      assertThat(hits.getFirst().entry().path()).endsWith("picture 13.png");
      assertThat(hits.getFirst().score()).isCloseTo(1, within(1e-6f));
      hits = index.search(vectors[13], 50, entry -> entry.label().equals("ä2"), false);
      assertThat(hits).hasSize(13).allMatch(hit -> hit.entry().label().equals("ä2"));
    }
  }

  @Test
  void replacesAndRemovesAtOnce() throws IOException {
    Path path = folder.resolve("a.index");
    float[][] vectors = vectors(30);
    try (IndexWriter writer = create(path)) {
      add(writer, writer.root(folder), vectors, 0, 20);
      writer.commit(true);
    }
    try (IndexWriter writer = IndexWriter.open(path)) {
      writer.remove(4);
      add(writer, writer.root(folder), vectors, 20, 21);
      writer.commit(true);
      writer.remove(5);
      writer.remove(20);
      writer.commit(true);
      writer.remove(6);
      assertThatThrownBy(() -> writer.remove(21)).isInstanceOf(IndexOutOfBoundsException.class);
    }
    try (Index index = Index.open(path, 1)) {
      assertThat(index.count()).isEqualTo(18);
      assertThat(index.rowCount()).isEqualTo(21);
      List<String> found = new ArrayList<>();
      for (Index.Hit hit : index.search(vectors[4], 100, null, true)) {
        found.add(hit.entry().path());
      }
      assertThat(found).hasSize(18).contains("ä0/picture 6.png");
      assertThat(found).doesNotContain("ä1/picture 4.png", "ä2/picture 5.png", "ä2/picture 20.png");
      PathTable table = new PathTable(index);
      String root = folder.toAbsolutePath().normalize().toString();
      assertThat(table.find(root, "ä0/picture 6.png")).isEqualTo(6);
      assertThat(table.find(root, "ä1/picture 4.png")).isEqualTo(-1);
      assertThat(table.find(root, "none")).isEqualTo(-1);
      assertThat(table.find("/elsewhere", "ä0/picture 6.png")).isEqualTo(-1);
    }
    try (var files = Files.list(path)) {
      assertThat(files.filter(file -> file.toString().endsWith(".removed"))).hasSize(1);
    }
  }

  @Test
  void searchesAGraphAndWhatCameAfterIt() throws IOException {
    Path path = folder.resolve("a.index");
    float[][] vectors = vectors(600);
    try (IndexWriter writer = create(path)) {
      add(writer, writer.root(folder), vectors, 0, 500);
      writer.commit(true);
      assertThat(writer.wantsGraph(0)).isFalse();
      writer.buildGraph(2);
      add(writer, writer.root(folder), vectors, 500, 600);
      writer.remove(3);
      writer.remove(599);
      writer.commit(true);
    }
    try (Index index = Index.open(path, 1)) {
      assertThat(index.graphCount()).isEqualTo(500);
      int same = 0;
      for (int row = 0; row < 600; row++) {
        List<Index.Hit> graph = index.search(vectors[row], 5, null, false);
        List<Index.Hit> exact = index.search(vectors[row], 5, null, true);
        assertThat(graph).hasSize(5);
        same += graph.getFirst().entry().path().equals(exact.getFirst().entry().path()) ? 1 : 0;
        boolean removed = row == 3 || row == 599;
        assertThat(exact.getFirst().entry().size() == 1000L + row).isEqualTo(!removed);
      }
      assertThat(same).isGreaterThan(590);
    }
  }

  @Test
  void oneWriterAtATimeAndReadersAnyTime() throws IOException {
    Path path = folder.resolve("a.index");
    float[][] vectors = vectors(10);
    try (IndexWriter writer = create(path)) {
      assertThatThrownBy(() -> IndexWriter.open(path))
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("is being changed by another process");
      assertThatThrownBy(() -> create(path)).hasMessageContaining("exists; add to it with");
      add(writer, writer.root(folder), vectors, 0, 5);
      writer.commit(false);
      try (Index before = Index.open(path, 1)) {
        add(writer, writer.root(folder), vectors, 5, 10);
        writer.remove(0);
        writer.commit(true);
        assertThat(before.count()).isEqualTo(5);
        assertThat(before.search(vectors[0], 10, null, false)).hasSize(5);
      }
      try (Index after = Index.open(path, 1)) {
        assertThat(after.count()).isEqualTo(9);
      }
    }
    IndexWriter.open(path).close();
  }

  @Test
  void namesWhatIsDamaged() throws IOException {
    assertThatThrownBy(() -> Index.open(folder.resolve("none"), 1))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("does not exist; build it with");
    assertThatThrownBy(() -> Index.open(folder, 1)).hasMessageContaining("is no index");
    for (String ending : List.of("vectors", "rows", "names")) {
      Path path = filled(ending);
      Path file = path.resolve("000001." + ending);
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
      assertThatThrownBy(() -> Index.open(path, 1))
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("is damaged: 000001." + ending);
      Files.delete(file);
      assertThatThrownBy(() -> Index.open(path, 1)).hasMessageContaining("is missing");
    }
    Path path = filled("records");
    byte[] rows = Files.readAllBytes(path.resolve("000001.rows"));
    Arrays.fill(rows, (byte) 0x7f);
    Files.write(path.resolve("000001.rows"), rows);
    try (Index index = Index.open(path, 1)) {
      assertThatThrownBy(() -> index.entry(2)).hasMessageContaining("row 2 has no");
    }
    Path manifest = path.resolve("manifest.json");
    String text = Files.readString(manifest);
    for (String damage :
        List.of(
            "",
            "[]",
            text.replace("\"rows\": 8", "\"rows\": -8"),
            text.replace("\"dimensions\": 20", "\"dimensions\": 0"),
            text.replace("\"name\": \"000001\"", "\"name\": \"../000001\""),
            text.replace("\"model\":", "\"modle\":"))) {
      Files.writeString(manifest, damage);
      assertThatThrownBy(() -> Index.open(path, 1))
          .as(damage)
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("damaged manifest.json");
    }
    Files.writeString(manifest, text.replace("tessera index 1", "tessera index 99"));
    assertThatThrownBy(() -> Index.open(path, 1)).hasMessageContaining("\"tessera index 99\"");
  }

  private Path filled(String name) throws IOException {
    Path path = folder.resolve(name);
    try (IndexWriter writer = create(path)) {
      add(writer, writer.root(folder), vectors(8), 0, 8);
      writer.commit(true);
    }
    return path;
  }

  private IndexWriter create(Path path) throws IOException {
    return IndexWriter.create(path, folder.resolve("model"), "f00", "cls", DIMENSIONS);
  }

  private static void add(IndexWriter writer, int root, float[][] vectors, int from, int to)
      throws IOException {
    for (int i = from; i < to; i++) {
      byte[] hash = new byte[32];
      Arrays.fill(hash, (byte) i);
      writer.add(vectors[i], root, "ä" + i % 3 + "/picture " + i + ".png", 1000L + i, 7L * i, hash);
    }
  }

  private static float[][] vectors(int count) {
    float[][] vectors = ExactScanTest.vectors(new Random(9), count, DIMENSIONS);
    for (float[] vector : vectors) {
      ImageEmbedder.normalize(vector);
    }
    return vectors;
  }
}
