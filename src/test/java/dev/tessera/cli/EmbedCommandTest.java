package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.search.VectorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedCommandTest {
  private static final List<String> NAMES =
      List.of("0.png", "1,\"x\".png", "2\nline.png", "4.png", "sub/5.png");

  @TempDir Path folder;
  private Path images = Path.of("");

  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    Files.createDirectory(images.resolve("sub"));
    int level = 20;
    for (String name : NAMES) {
      TestImages.png(images.resolve(name), 30, 30, level);
      level += 50;
    }
    Files.writeString(images.resolve("3.png"), "broken");
  }

  @Test
  void npyHoldsOneRowForEachImageAndTheIdsStandBesideIt() throws IOException {
    Path output = folder.resolve("out.npy");
    CommandLineRun run = run(output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("3.png").contains("1 of 6 images could not be read");
    ByteBuffer npy = ByteBuffer.wrap(Files.readAllBytes(output)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(new String(npy.array(), 1, 5, StandardCharsets.US_ASCII)).isEqualTo("NUMPY");
    assertThat(new String(npy.array(), 10, 118, StandardCharsets.US_ASCII))
        .isEqualTo(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 48), }".concat(" ".repeat(57))
                + "\n");
    assertThat(npy.capacity()).isEqualTo(128 + 5 * 48 * 4);
    assertThat(ids(output)).isEqualTo(NAMES);
    assertRows(npy.position(128), Pooling.CLS, false);
    assertNothingElse("out.npy", "out.ids.json");
  }

  @Test
  void safetensorsHoldsThemAsOneTensorAndSaysHowTheyWereMade() throws IOException {
    Path output = folder.resolve("out.safetensors");
    assertThat(run(output, "--pool", "mean", "--normalize").exitCode()).isZero();
    try (Safetensors file = Safetensors.open(output)) {
      assertThat(file.tensors()).containsOnlyKeys("embeddings");
      assertThat(file.tensor("embeddings").shape().toArray()).containsExactly(5, 48);
      assertThat(file.metadata())
          .containsEntry("architecture", "ViTForImageClassification")
          .containsEntry("pooling", "mean")
          .containsEntry("normalized", "true")
          .containsEntry("ids", "out.ids.json")
          .containsKey("fingerprint");
      ByteBuffer rows = ByteBuffer.allocate(5 * 48 * 4).order(ByteOrder.LITTLE_ENDIAN);
      for (float value : file.tensor("embeddings").toFloats()) {
        rows.putFloat(value);
      }
      assertRows(rows.flip(), Pooling.MEAN, true);
    }
    assertThat(ids(output)).isEqualTo(NAMES);
  }

  @Test
  void textFormatsHoldTheSameNumbers() throws IOException {
    Path jsonl = folder.resolve("out.jsonl");
    Path csv = folder.resolve("out.csv");
    assertThat(run(jsonl).exitCode()).isZero();
    assertThat(run(csv).exitCode()).isZero();
    ByteBuffer rows = ByteBuffer.allocate(5 * 48 * 4);
    List<String> ids = new ArrayList<>();
    List<String> records = new ArrayList<>();
    for (String line : Files.readAllLines(jsonl)) {
      Map<?, ?> object = (Map<?, ?>) Json.parse(line);
      ids.add(String.valueOf(object.get("file")));
      StringBuilder record = new StringBuilder(quoted(ids.getLast()));
      for (Object value : (List<?>) object.get("embedding")) {
        rows.putFloat(((Number) value).floatValue());
        record.append(',').append(((Number) value).floatValue());
      }
      records.add(record.append("\r\n").toString());
    }
    assertThat(ids).isEqualTo(NAMES);
    assertRows(rows.flip(), Pooling.CLS, false);
    assertThat(Files.readString(csv)).startsWith("file,0,1,2,").endsWith(String.join("", records));
  }

  /** {@code parquet.bin} has these bytes, and pyarrow has read it: see its folder's README. */
  @Test
  void parquetIsByteForByteWhatPyarrowHasRead() throws IOException {
    Path output = folder.resolve("small.parquet");
    try (VectorFile file =
        VectorFile.create(output, VectorFile.Kind.PARQUET, 3, Map.of("pooling", "cls"))) {
      file.append("a.png", new float[] {1, -2, 0.5f});
      file.append("ä\n\"b\".png", new float[] {Float.MIN_VALUE, 3e38f, -0f});
      file.commit();
    }
    assertThat(output)
        .hasBinaryContent(Files.readAllBytes(Path.of("test/resources/search/small.parquet")));
    assertNothingElse("small.parquet");
  }

  /** More rows than one group holds. */
  @Test
  void parquetGrowsByGroups() throws IOException {
    Path output = folder.resolve("large.parquet");
    int rows = 12_000;
    try (VectorFile file = VectorFile.create(output, VectorFile.Kind.PARQUET, 700, Map.of())) {
      float[] vector = new float[700];
      for (int i = 0; i < rows; i++) {
        Arrays.fill(vector, i);
        file.append("row " + i, vector);
      }
      file.commit();
    }
    byte[] bytes = Files.readAllBytes(output);
    assertThat(bytes.length).isGreaterThan(rows * 700 * 4);
    assertThat(new String(bytes, bytes.length - 4, 4, StandardCharsets.US_ASCII)).isEqualTo("PAR1");
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int footer = buffer.getInt(bytes.length - 8);
    assertThat(footer).isBetween(200, 1000);
    // The numbers of the last row stand before the footer.
    assertThat(buffer.getFloat(bytes.length - 8 - footer - 4)).isEqualTo(rows - 1);
  }

  /**
   * Cuts what an interrupted run would leave anywhere and expects the same files after resuming.
   */
  @ParameterizedTest
  @ValueSource(strings = {"npy", "safetensors", "parquet", "jsonl", "csv"})
  void resumesWhereverItWasCut(String format) throws IOException {
    Path output = folder.resolve("out." + format);
    Path whole = folder.resolve("whole." + format);
    assertThat(run(output).exitCode()).isZero();
    Files.move(output, whole);
    Path ids = VectorFile.idsFile(output);
    byte[] wholeIds = Files.exists(ids) ? Files.readAllBytes(ids) : new byte[0];
    Random random = new Random(7);
    boolean text = format.equals("jsonl") || format.equals("csv");
    for (int cut = 0; cut < 12; cut++) {
      Files.deleteIfExists(output);
      Files.deleteIfExists(ids);
      if (text) {
        byte[] bytes = Files.readAllBytes(whole);
        Files.write(
            ResultOutput.partial(output), Arrays.copyOf(bytes, random.nextInt(bytes.length)));
      } else {
        leave(output, VectorFile.Kind.valueOf(format.toUpperCase(Locale.ROOT)), random);
      }
      CommandLineRun run = run(output, "--resume");
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(output).hasSameBinaryContentAs(whole);
      if (wholeIds.length > 0) {
        assertThat(ids).hasBinaryContent(wholeIds);
      }
      assertThat(VectorFile.partial(output)).doesNotExist();
      assertThat(VectorFile.partial(ids)).doesNotExist();
    }
  }

  /** Partial files with the first vectors, both torn somewhere. */
  private void leave(Path output, VectorFile.Kind kind, Random random) throws IOException {
    Map<String, String> metadata;
    List<float[]> vectors = new ArrayList<>();
    try (ImageEmbedder embedder = ImageEmbedder.open(VIT_TINY, new ScalarEngine(), null)) {
      metadata = new LinkedHashMap<>();
      metadata.put("architecture", embedder.architecture());
      metadata.put("pooling", "cls");
      metadata.put("normalized", "false");
      metadata.put("fingerprint", embedder.fingerprint());
      for (String name : NAMES) {
        vectors.add(embedder.embed(images.resolve(name)));
      }
    }
    try (VectorFile file = VectorFile.create(output, kind, 48, metadata)) {
      for (int i = 0; i < 1 + random.nextInt(NAMES.size()); i++) {
        file.append(NAMES.get(i), vectors.get(i));
      }
    }
    for (Path file :
        List.of(VectorFile.partial(output), VectorFile.partial(VectorFile.idsFile(output)))) {
      byte[] bytes = Files.readAllBytes(file);
      // The header is written first and whole.
      int least = file.toString().contains("ids") ? 0 : bytes.length / 48 / 4 * 48 * 4 / 2;
      Files.write(
          file,
          Arrays.copyOf(bytes, bytes.length - random.nextInt(Math.min(300, bytes.length - least))));
    }
  }

  @Test
  void refusesToGoOnWithAnotherModelOrOtherOptions() throws IOException {
    Path output = folder.resolve("out.safetensors");
    Random random = new Random(1);
    leave(output, VectorFile.Kind.SAFETENSORS, random);
    CommandLineRun run = run(output, "--resume", "--pool", "mean");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("was written with another model or other options");
    assertThat(VectorFile.partial(output)).exists();
  }

  @Test
  void severalPathsKeepTheNamesThatTheyWereGiven() throws IOException {
    Path output = folder.resolve("out.npy");
    CommandLineRun run =
        CommandLineRun.inside(
            "embed", "-m", VIT_TINY, "-o", output, images.resolve("sub"), images.resolve("0.png"));
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(ids(output))
        .containsExactly(
            images.resolve("sub/5.png").toString(), images.resolve("0.png").toString());
  }

  @Test
  void saysWhatIsWrongWithTheOptions() {
    assertThat(run(folder.resolve("out.txt")).err()).contains("does not say its format");
    assertThat(run(folder).err()).contains("does not say its format");
    CommandLineRun run = CommandLineRun.inside("embed", "-m", VIT_TINY, "-f", "npy", images);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--format npy needs a file");
    run = run(folder.resolve("out.npy"), "--pool", "pooler");
    assertThat(run.exitCode()).isEqualTo(ExitCode.CHECKPOINT);
    assertThat(run.err()).contains("has no pooler").contains("pool cls or mean");
    run = run(folder.resolve("missing/out.npy"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(run.err()).contains("its folder does not exist");
  }

  private CommandLineRun run(Path output, Object... options) {
    List<Object> args = new ArrayList<>(List.of("embed", "--model", VIT_TINY, "-o", output));
    args.add("--device=scalar");
    args.addAll(List.of(options));
    args.add(images);
    return CommandLineRun.inside(args.toArray());
  }

  private static String quoted(String id) {
    return id.contains(",") || id.contains("\n") ? '"' + id.replace("\"", "\"\"") + '"' : id;
  }

  private static List<String> ids(Path output) throws IOException {
    List<String> ids = new ArrayList<>();
    for (Object id : (List<?>) Json.parse(Files.readString(VectorFile.idsFile(output)))) {
      ids.add((String) id);
    }
    return ids;
  }

  private void assertRows(ByteBuffer rows, Pooling pooling, boolean normalized) throws IOException {
    try (ImageEmbedder embedder = ImageEmbedder.open(VIT_TINY, new ScalarEngine(), pooling)) {
      for (String name : NAMES) {
        float[] vector = embedder.embed(images.resolve(name));
        if (normalized) {
          ImageEmbedder.normalize(vector);
        }
        for (float value : vector) {
          assertThat(rows.getFloat()).as(name).isEqualTo(value);
        }
      }
    }
    assertThat(rows.hasRemaining()).isFalse();
  }

  private void assertNothingElse(String... names) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(names);
    }
  }
}
