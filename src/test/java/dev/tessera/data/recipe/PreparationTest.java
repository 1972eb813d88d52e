package dev.tessera.data.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.checkpoint.Json;
import dev.tessera.data.DataException;
import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import dev.tessera.image.Decoder;
import dev.tessera.image.PngWriter;
import dev.tessera.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreparationTest {
  @TempDir Path folder;

  /** A recipe whose files are in the folder {@code local}. */
  private Recipe recipe(Recipe.Kind kind, long images, List<String> classes, String... files)
      throws IOException {
    List<Recipe.RemoteFile> wanted = new ArrayList<>();
    for (String name : files) {
      byte[] content = Files.readAllBytes(local().resolve(name));
      wanted.add(
          new Recipe.RemoteFile(
              name,
              List.of("http://127.0.0.1:9/" + name),
              content.length,
              DownloadTest.digest("SHA-256", content),
              null,
              null));
    }
    return new Recipe(
        "tiny",
        "Tiny",
        "images",
        "nowhere",
        "CC0",
        kind,
        images,
        classes,
        classes.size(),
        "",
        Map.of("n01", "tench"),
        List.of(),
        wanted);
  }

  private Path local() throws IOException {
    return Files.createDirectories(folder.resolve("local"));
  }

  private Dataset prepare(Recipe recipe) throws Exception {
    return new Preparation(recipe, Progress.NONE).run(folder.resolve("out"), local(), false);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  private static byte[] idx(int magic, int[] dimensions, int length) {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * dimensions.length + length).putInt(magic);
    for (int dimension : dimensions) {
      bytes.putInt(dimension);
    }
    for (int i = 0; i < length; i++) {
      bytes.put((byte) i);
    }
    return bytes.array();
  }

  private Recipe idxRecipe() throws IOException {
    Files.write(
        local().resolve("train-images-idx3-ubyte.gz"), gzip(idx(0x803, new int[] {3, 2, 2}, 12)));
    Files.write(local().resolve("train-labels-idx1-ubyte.gz"), gzip(idx(0x801, new int[] {3}, 3)));
    return recipe(
        Recipe.Kind.SAMPLES,
        3,
        List.of("T-shirt/top", "b", "c"),
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz");
  }

  @Test
  void idxFilesBecomeClassFolders() throws Exception {
    Dataset dataset = prepare(idxRecipe());
    assertThat(dataset.classes()).containsExactly("T-shirt_top", "b", "c");
    LabelledImages train = dataset.part(Part.TRAIN);
    assertThat(train.get(1).id()).isEqualTo("train/b/00001.png");
    assertThat(train.get(1).source().decode(new Decoder()).pixels())
        .containsExactly(4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7);
    Map<String, @Nullable Object> lock =
        Json.readObject(folder.resolve("out").resolve(Preparation.LOCK));
    assertThat(lock).containsEntry("recipe", "tiny").containsEntry("licence", "CC0");
    assertThat(String.valueOf(lock.get("files"))).contains("sha256=").doesNotContain("path=");
    assertThat(folder.resolve("out.partial")).doesNotExist();
    // Once more: it is there already.
    assertThat(prepare(idxRecipe())).isEqualTo(dataset);
  }

  @Test
  void whatIsThereIsNotTouched() throws Exception {
    Path out = Files.createDirectories(folder.resolve("out"));
    Files.writeString(out.resolve("precious.txt"), "mine");
    Recipe recipe = idxRecipe();
    assertThatThrownBy(() -> prepare(recipe))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("is not empty");
    Files.delete(out.resolve("precious.txt"));
    Files.writeString(out.resolve(Preparation.LOCK), "{\"recipe\": \"other\"}");
    assertThatThrownBy(() -> prepare(recipe))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("holds another data set");
  }

  @Test
  void aKilledPreparationIsGoneOnWith() throws Exception {
    Path data = Files.createDirectories(folder.resolve("out.partial/data/train/b"));
    Files.writeString(data.resolve("stale.png"), "half");
    assertThat(prepare(idxRecipe()).part(Part.TRAIN).size()).isEqualTo(3);
  }

  @Test
  void otherFilesAndOtherNumbersAreRefused() throws Exception {
    Recipe recipe = idxRecipe();
    Path images = local().resolve("train-images-idx3-ubyte.gz");
    byte[] good = Files.readAllBytes(images);
    byte[] other = good.clone();
    other[other.length - 1]++;
    Files.write(images, other);
    assertThatThrownBy(() -> prepare(recipe)).hasMessageContaining("is not the published file");
    Files.write(images, Arrays.copyOf(good, good.length - 1));
    assertThatThrownBy(() -> prepare(recipe)).hasMessageContaining("bytes, but the published");
    Files.delete(images);
    assertThatThrownBy(() -> prepare(recipe)).hasMessageContaining("has no train-images");
    Files.write(images, good);
    Recipe more =
        recipe(
            Recipe.Kind.SAMPLES,
            4,
            recipe.classes(),
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz");
    assertThatThrownBy(() -> prepare(more))
        .hasMessageContaining("should have 4 images of 3 classes");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  private static byte[] png(int level) {
    return PngWriter.encode(new RgbImage(1, 1, new byte[] {(byte) level, 0, 0}));
  }

  @Test
  void foldersAreRenamed() throws Exception {
    Files.write(
        local().resolve("a.tgz"),
        ArchiveTest.tar(tar -> {
          ArchiveTest.file(tar, "train/n01/x.png", png(1));
          ArchiveTest.file(tar, "val/n01/y.png", png(2));
          ArchiveTest.file(tar, "val/n02/z.png", png(3));
        }));
    Dataset dataset = prepare(recipe(Recipe.Kind.FOLDERS, 3, List.of("tench", "n02"), "a.tgz"));
    assertThat(dataset.classes()).containsExactly("n02", "tench");
    assertThat(dataset.part(Part.VALIDATION).get(1).id()).isEqualTo("validation/tench/y.png");
  }

  @Test
  void petsAreSortedByTheirLists() throws Exception {
    Files.write(
        local().resolve("images.tar.gz"),
        ArchiveTest.tar(tar -> {
          ArchiveTest.file(tar, "images/Maine_Coon_1.jpg", png(1));
          ArchiveTest.file(tar, "images/pug_12.jpg", png(2));
          ArchiveTest.file(tar, "images/pug_13.mat", png(3));
        }));
    byte[] list = "# names\nMaine_Coon_1 1 1 1\n".getBytes(StandardCharsets.UTF_8);
    byte[] test = "pug_12 2 2 1\n".getBytes(StandardCharsets.UTF_8);
    Files.write(
        local().resolve("annotations.tar.gz"),
        ArchiveTest.tar(tar -> {
          ArchiveTest.file(tar, "annotations/trainval.txt", list);
          ArchiveTest.file(tar, "annotations/test.txt", test);
        }));
    String[] files = {"images.tar.gz", "annotations.tar.gz"};
    Dataset dataset = prepare(recipe(Recipe.Kind.PETS, 2, List.of("a", "b"), files));
    assertThat(dataset.classes()).containsExactly("maine coon", "pug");
    assertThat(dataset.part(Part.TEST).get(0).id()).isEqualTo("test/pug/pug_12.jpg");

    byte[] evil = "../../secret_1 1 1 1\n".getBytes(StandardCharsets.UTF_8);
    Files.write(
        local().resolve("annotations.tar.gz"),
        ArchiveTest.tar(tar -> {
          ArchiveTest.file(tar, "annotations/trainval.txt", evil);
          ArchiveTest.file(tar, "annotations/test.txt", test);
        }));
    Recipe recipe = recipe(Recipe.Kind.PETS, 2, List.of("a", "b"), files);
    assertThatThrownBy(() ->
            new Preparation(recipe, Progress.NONE).run(folder.resolve("out2"), local(), false))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no image of the set");
  }

  @Test
  void everyRecipeCanBeRead() throws Exception {
    List<Recipe> recipes = Recipe.list(Path.of("../datasets"));
    assertThat(recipes.stream().map(Recipe::name))
        .containsExactly(
            "cifar-10", "cifar-100", "fashion-mnist", "imagenette", "mnist", "oxford-pets");
    for (Recipe recipe : recipes) {
      for (Recipe.RemoteFile file : recipe.files()) {
        assertThat(file.sha256()).as(file.name()).isNotNull();
      }
    }
    assertThatThrownBy(() -> Recipe.named("imagenet", Path.of("../datasets")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("there are cifar-10, cifar-100");
  }

  @Test
  void damagedRecipesAreRefused() throws Exception {
    Map<String, Object> good = new LinkedHashMap<>();
    good.put("title", "T");
    good.put("about", "a");
    good.put("homepage", "h");
    good.put("licence", "l");
    good.put("kind", "samples");
    good.put("images", 3);
    good.put("classes", 2);
    good.put("files", List.of(Map.of("name", "a.bin", "urls", List.of("http://x/"), "bytes", 5)));
    Path file = folder.resolve("r.json");
    Files.writeString(file, Json.write(good));
    assertThat(Recipe.read(file).files().getFirst().sha256()).isNull();
    Map<String, Object> bad = new LinkedHashMap<>();
    bad.put("kind", "virus");
    bad.put("images", -1);
    bad.put("licence", "");
    bad.put("classes", "two");
    bad.put("files", List.of());
    bad.forEach((key, value) -> {
      Map<String, Object> changed = new LinkedHashMap<>(good);
      changed.put(key, value);
      refused(file, changed, "its \"" + key + "\"");
    });
    for (String name : List.of("../evil", "a/b", ".hidden", "")) {
      Map<String, Object> changed = new LinkedHashMap<>(good);
      changed.put("files", List.of(Map.of("name", name, "urls", List.of("http://x/"), "bytes", 5)));
      refused(file, changed, "its \"name\"");
    }
    Files.writeString(file, "{");
    assertThatThrownBy(() -> Recipe.read(file)).isInstanceOf(DataException.class);
  }

  private static void refused(Path file, Map<String, Object> json, String reason) {
    assertThatThrownBy(
            () -> {
              Files.writeString(file, Json.write(json));
              Recipe.read(file);
            })
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason);
  }

  /** Debian's files were compressed again: their content is the published one. */
  @Test
  void debiansFashionMnistIsRecognised() throws Exception {
    Recipe recipe = Recipe.named("fashion-mnist", Path.of("../datasets"));
    Path debian = recipe.installed().getFirst();
    Assumptions.assumeTrue(Files.exists(debian), "skipped: install Debian's dataset-fashion-mnist");
    List<Recipe.RemoteFile> labels =
        recipe.files().stream().filter(file -> file.name().startsWith("t10k")).toList();
    Recipe test =
        new Recipe(
            recipe.name(),
            recipe.title(),
            recipe.about(),
            recipe.homepage(),
            recipe.licence(),
            recipe.kind(),
            10_000,
            recipe.classes(),
            10,
            "",
            Map.of(),
            recipe.installed(),
            labels);
    Dataset dataset =
        new Preparation(test, Progress.NONE).run(folder.resolve("fashion"), null, false);
    assertThat(dataset.part(Part.TEST).counts()).hasSize(10).containsOnly(1000);
    assertThat(dataset.classes()).contains("Ankle boot", "T-shirt_top");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactly("fashion");
    }
  }
}
