package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Json;
import dev.tessera.engine.Engine;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.TextEmbedder;
import dev.tessera.search.Index;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code tessera index} and {@code tessera search}, from files to what is found. */
@Timeout(300)
class IndexCommandTest {
  @TempDir Path folder;
  private Path images = Path.of("");
  private Path index = Path.of("");

  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    index = folder.resolve("images.index");
    for (String label : List.of("dark", "light")) {
      Files.createDirectory(images.resolve(label));
    }
    for (int i = 0; i < 6; i++) {
      TestImages.png(images.resolve("dark").resolve(i + ".png"), 30, 30, 10 * i);
      TestImages.png(images.resolve("light").resolve(i + ".png"), 30, 30, 200 + 10 * i);
    }
    Files.writeString(images.resolve("broken.png"), "broken");
  }

  @Test
  void findsTheQueryItselfFirst() throws IOException {
    CommandLineRun run = build();
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("12 added").contains("broken.png").contains("1 could not be");
    Path out = folder.resolve("found.jsonl");
    Path query = images.resolve("light/3.png");
    run = CommandLineRun.inside("search", index, query, "-k", 4, "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    List<Map<?, ?>> hits = hits(out);
    assertThat(hits).hasSize(4);
    assertThat(hits.getFirst().get("file")).isEqualTo(query.toString());
    assertThat(hits.getFirst().get("path")).isEqualTo("light/3.png");
    assertThat(hits.getFirst().get("label")).isEqualTo("light");
    assertThat(((Number) hits.getFirst().get("score")).doubleValue()).isBetween(0.9999, 1.0001);
    Path csv = folder.resolve("found.csv");
    assertThat(CommandLineRun.inside("search", index, query, "-k", 2, "-o", csv).exitCode())
        .isZero();
    assertThat(Files.readAllLines(csv))
        .hasSize(3)
        .startsWith("query,rank,score,file,label")
        .element(1)
        .asString()
        .startsWith(query + ",1,")
        .endsWith(query + ",light");
  }

  @Test
  void filtersByPathLabelAndScore() throws IOException {
    build();
    Path query = images.resolve("light/3.png");
    assertThat(paths("search", index, query, "--label", "dark"))
        .hasSize(6)
        .allMatch(path -> path.startsWith("dark/"));
    assertThat(paths("search", index, query, "--include", "**/2.png"))
        .containsExactlyInAnyOrder("dark/2.png", "light/2.png");
    assertThat(paths("search", index, query, "--exclude", "light/**", "--exclude", "0.png"))
        .hasSize(5);
    assertThat(paths("search", index, query, "--threshold", "0.99999")).contains("light/3.png");
    assertThat(paths("search", index, query, "--label", "none")).isEmpty();
  }

  @Test
  void addsOnlyWhatIsNewOrChanged() throws IOException {
    build();
    Path changed = images.resolve("dark/0.png");
    Path touched = images.resolve("dark/1.png");
    TestImages.png(changed, 31, 30, 255);
    Files.setLastModifiedTime(touched, FileTime.fromMillis(1_000_000_000_000L));
    TestImages.png(images.resolve("new.png"), 30, 30, 77);
    Files.delete(images.resolve("light/5.png"));
    CommandLineRun run = add();
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("1 added, 1 changed, 10 unchanged, 0 removed, 1 could not be read")
        .contains("1 files of the index are no longer in")
        .contains("--prune");
    assertThat(indexed()).hasSize(13).contains("new.png", "light/5.png");
    // The changed picture is light now.
    assertThat(paths("search", index, changed, "-k", 1)).containsExactly("dark/0.png");
    assertThat(paths("search", index, images.resolve("light/4.png"), "-k", 13)).hasSize(13);
    assertThat(add("--prune").err()).contains("0 added, 0 changed, 12 unchanged, 1 removed");
    assertThat(indexed()).hasSize(12).doesNotContain("light/5.png");
    assertThat(add().err()).contains("0 added, 0 changed, 12 unchanged, 0 removed");
  }

  @Test
  void removesByName() throws IOException {
    build();
    CommandLineRun run = CommandLineRun.inside("index", "remove", index, "dark/**", "5.png");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("7 removed, 5 left");
    assertThat(indexed())
        .containsExactly("light/0.png", "light/1.png", "light/2.png", "light/3.png", "light/4.png");
    assertThat(images.resolve("dark/0.png")).exists();
    // What was removed is new to the next add.
    assertThat(add().err()).contains("7 added");
  }

  @Test
  void refusesAnotherModelAndAnotherPooling() throws IOException {
    build();
    Path query = images.resolve("light/3.png");
    Path other = Path.of("test/resources/checkpoints/deit-distilled");
    CommandLineRun run = CommandLineRun.inside("search", index, query, "-m", other);
    assertThat(run.exitCode()).isEqualTo(ExitCode.INDEX);
    assertThat(run.err()).contains("was built with another model").contains("vit-tiny");
    run = CommandLineRun.inside("index", "add", index, "-m", other);
    assertThat(run.exitCode()).isEqualTo(ExitCode.INDEX);
    run = build();
    assertThat(run.exitCode()).isEqualTo(ExitCode.INDEX);
    assertThat(run.err()).contains("exists; add to it with 'tessera index add'");
    run = CommandLineRun.inside("search", index, folder.resolve("none.jpg"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("none.jpg: no such file");
    run = CommandLineRun.inside("search", index, images.resolve("broken.png"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.NO_IMAGE);
    run = CommandLineRun.inside("search", folder, query);
    assertThat(run.exitCode()).isEqualTo(ExitCode.INDEX);
    assertThat(run.err()).contains("is no index");
  }

  @Test
  void searchesForWordsWhereImagesShareTheirSpace() throws IOException {
    Path model = openClip();
    CommandLineRun run = CommandLineRun.inside("index", "build", images, "-m", model, "-o", index);
    assertThat(run.exitCode()).as(run.err()).isZero();
    Path out = folder.resolve("found.jsonl");
    run = CommandLineRun.inside("search", index, "a red shoe.", "-k", 12, "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    List<Map<?, ?>> hits = hits(out);
    assertThat(hits).hasSize(12);
    try (ImageEmbedder embedder = ImageEmbedder.open(model);
        Engine engine = new ScalarEngine();
        TextEmbedder texts = TextEmbedder.open(model, engine)) {
      float[] words = texts.embed(List.of("a red shoe."))[0];
      ImageEmbedder.normalize(words);
      for (Map<?, ?> hit : hits) {
        float[] vector = embedder.embed(Path.of(String.valueOf(hit.get("file"))));
        ImageEmbedder.normalize(vector);
        double sum = 0;
        for (int i = 0; i < vector.length; i++) {
          sum += (double) vector[i] * words[i];
        }
        assertThat(((Number) hit.get("score")).doubleValue()).isCloseTo(sum, within(1e-4));
      }
    }
  }

  /** A random model of images and texts with a tokenizer that knows letters. */
  private Path openClip() throws IOException {
    Path model = Files.createDirectory(folder.resolve("open-clip"));
    for (String file : List.of("open_clip_config.json", "open_clip_model.safetensors")) {
      Files.copy(
          Path.of("test/resources/checkpoints/open-clip").resolve(file), model.resolve(file));
    }
    Map<String, Object> vocabulary = new LinkedHashMap<>();
    for (char letter = 'a'; letter <= 'z'; letter++) {
      vocabulary.put(String.valueOf(letter), (long) vocabulary.size());
      vocabulary.put(letter + "</w>", (long) vocabulary.size());
    }
    vocabulary.put(".</w>", (long) vocabulary.size());
    vocabulary.put("<|startoftext|>", 98L);
    vocabulary.put("<|endoftext|>", 99L);
    Files.writeString(model.resolve("vocab.json"), Json.write(vocabulary));
    Files.writeString(model.resolve("merges.txt"), "#version: 0.2\n");
    return model;
  }

  @Test
  void saysThatAnIndexOfImagesAloneHasNoWords() {
    build();
    CommandLineRun run = CommandLineRun.inside("search", index, "a red shoe");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("\"a red shoe\" is no file").contains("such as CLIP");
  }

  @Test
  void writesAPageThatNeedsNoOtherFile() throws IOException {
    build();
    Path page = folder.resolve("found.html");
    Path out = folder.resolve("found.csv");
    Path query = images.resolve("light/3.png");
    CommandLineRun run =
        CommandLineRun.inside("search", index, query, "-k", 3, "--html", page, "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    String html = Files.readString(page);
    assertThat(html).contains("light/3.png").contains("query").contains("data:image/");
    assertThat(html).doesNotContain("http://").doesNotContain("https://").doesNotContain("src=\"/");
    assertThat(html.split("data:image/", -1)).hasSize(5);
  }

  /** Killed again and again while it builds, it ends with every picture, each of them once. */
  @Test
  void survivesBeingKilled() throws Exception {
    byte[] png = Files.readAllBytes(images.resolve("dark/3.png"));
    for (int i = 0; i < 1500; i++) {
      Files.write(images.resolve("picture%04d.png".formatted(i)), png);
    }
    Object[] command = {"index", "build", images, "-m", VIT_TINY, "-o", index, "-b", "1"};
    int before = 0;
    int kills = 0;
    for (int attempt = 0; attempt < 3; attempt++) {
      Files.deleteIfExists(folder.resolve("stdout"));
      Process process = CommandLineRun.start(folder, List.of("-Xmx128m"), command);
      int count = before;
      while (process.isAlive() && count <= before) {
        Thread.sleep(10);
        count = Files.exists(index.resolve("manifest.json")) ? count() : 0;
      }
      kills += process.isAlive() ? 1 : 0;
      process.destroyForcibly().waitFor();
      count = count();
      assertThat(count).isGreaterThanOrEqualTo(before);
      assertThat(indexed()).hasSize(count);
      before = count;
      command = new Object[] {"index", "add", index, "-b", "1"};
    }
    assertThat(kills).isPositive();
    CommandLineRun run = add();
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(indexed()).hasSize(1512);
    try (Index whole = Index.open(index, 1)) {
      assertThat(whole.isComplete()).isTrue();
      assertThat(whole.count()).isEqualTo(1512);
    }
    // Nothing of the killed runs is left over.
    assertThat(add().err()).contains("0 added, 0 changed, 1,512 unchanged");
  }

  private int count() throws IOException {
    try (Index known = Index.open(index, 1)) {
      return known.count();
    }
  }

  private CommandLineRun build() {
    return CommandLineRun.inside("index", "build", images, "-m", VIT_TINY, "-o", index);
  }

  private CommandLineRun add(Object... options) {
    List<Object> args = new ArrayList<>(List.of("index", "add", index));
    args.addAll(List.of(options));
    return CommandLineRun.inside(args.toArray());
  }

  /** Paths in the index; a path that it has twice is an error. */
  private Set<String> indexed() throws IOException {
    Set<String> paths = new TreeSet<>();
    try (Index known = Index.open(index, 1)) {
      for (int row = 0; row < known.rowCount(); row++) {
        if (!known.isRemoved(row)) {
          assertThat(paths.add(known.entry(row).path())).isTrue();
        }
      }
    }
    return paths;
  }

  private List<String> paths(Object... search) throws IOException {
    List<Object> args = new ArrayList<>(List.of(search));
    Path out = folder.resolve("paths.jsonl");
    args.addAll(List.of("-o", out));
    CommandLineRun run = CommandLineRun.inside(args.toArray());
    assertThat(run.exitCode()).as(run.err()).isZero();
    return hits(out).stream().map(hit -> String.valueOf(hit.get("path"))).toList();
  }

  private static List<Map<?, ?>> hits(Path file) throws IOException {
    List<Map<?, ?>> hits = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      Map<?, ?> query = (Map<?, ?>) Json.parse(line);
      for (Object hit : (List<?>) query.get("hits")) {
        hits.add((Map<?, ?>) hit);
      }
    }
    return hits;
  }
}
