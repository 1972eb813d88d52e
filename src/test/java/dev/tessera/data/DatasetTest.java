package dev.tessera.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.image.Decoder;
import dev.tessera.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
  @TempDir Path folder;

  private static List<String> ids(LabelledImages images) {
    return images.images().stream().map(LabelledImage::id).toList();
  }

  private void image(String name) {
    Fixtures.png(folder.resolve(name), 4, 4, 0x102030);
  }

  private Path text(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  @Test
  void classFoldersInTheOrderOfNames() throws Exception {
    image("dog/b.png");
    image("dog/deep/er/a.JPG");
    image("cat/1.png");
    image("cat/.hidden.png");
    image(".git/x.png");
    image("loose.png");
    text("dog/notes.txt", "no image");
    Files.createDirectories(folder.resolve("empty"));
    Dataset dataset = Dataset.open(folder);
    assertThat(dataset.classes()).containsExactly("cat", "dog");
    LabelledImages images = dataset.part(Part.ALL);
    assertThat(ids(images)).containsExactly("cat/1.png", "dog/b.png", "dog/deep/er/a.JPG");
    assertThat(images.counts()).containsExactly(1, 2);
    assertThat(images.get(2).label()).isEqualTo(1);
    assertThat(dataset.problems())
        .anySatisfy(problem -> assertThat(problem).contains("1 images are in no class folder"))
        .anySatisfy(problem -> assertThat(problem).contains("empty holds no images"));
    // A data set that is not divided gives all of it for every part.
    assertThat(dataset.part(Part.TEST)).isEqualTo(images);
    assertThat(dataset.evaluation()).isEqualTo(images);
  }

  @Test
  void partsShareTheirClasses() throws Exception {
    image("train/a/1.png");
    image("train/b/2.png");
    image("val/b/3.png");
    image("Test/c/4.png");
    Dataset dataset = Dataset.open(folder);
    assertThat(dataset.classes()).containsExactly("a", "b", "c");
    assertThat(dataset.parts()).containsOnlyKeys(Part.TRAIN, Part.VALIDATION, Part.TEST);
    assertThat(dataset.part(Part.VALIDATION).get(0).label()).isEqualTo(1);
    assertThat(ids(dataset.evaluation())).containsExactly("Test/c/4.png");
    Split split = dataset.split(new Split.Settings(0.5, 0.2, 1, new Grouping.None()));
    assertThat(split.train()).isEqualTo(dataset.part(Part.TRAIN));
    assertThat(split.validation()).isEqualTo(dataset.part(Part.VALIDATION));
    assertThat(split.test()).isEqualTo(dataset.part(Part.TEST));
  }

  @Test
  void aClassMayBeCalledTrain() throws Exception {
    image("bus/1.png");
    image("train/2.png");
    assertThat(Dataset.open(folder).classes()).containsExactly("bus", "train");
  }

  @Test
  void theSamePartTwiceIsRefused() {
    image("val/a/1.png");
    image("valid/a/2.png");
    assertThatThrownBy(() -> Dataset.open(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("are both the validation part");
  }

  @Test
  void linksAreFollowedButNotRound() throws Exception {
    image("a/1.png");
    Files.createSymbolicLink(folder.resolve("a/again"), folder.resolve("a"));
    Files.createSymbolicLink(folder.resolve("a/up"), folder);
    Path elsewhere = folder.resolveSibling(folder.getFileName() + "-elsewhere");
    Fixtures.png(elsewhere.resolve("2.png"), 4, 4, 0);
    Files.createSymbolicLink(folder.resolve("b"), elsewhere);
    assertThat(ids(Dataset.open(folder).part(Part.ALL))).containsExactly("a/1.png", "b/2.png");
  }

  @Test
  void nothingToFindIsSaidPlainly() {
    assertThatThrownBy(() -> Dataset.open(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("holds no labelled images");
    assertThatThrownBy(() -> Dataset.open(folder.resolve("none")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("does not exist");
    image("only.png");
    assertThatThrownBy(() -> Dataset.open(folder.resolve("only.png")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("is no data set");
  }

  @Test
  void tablesWithNamedColumnsGroupsAndSplits() throws Exception {
    image("pictures/one.png");
    image("pictures/two, or \"2\".png");
    image("three.png");
    Path csv =
        text(
            "list.csv",
            """
            \ufeffId,Label,File,split,group
            1,dog,pictures/one.png,train,g1
            2,cat,"pictures/two, or ""2"".png",val,

            3,dog,missing.png,train,g1
            4,dog,three.png,sometimes,g1
            5,,three.png,test,g2
            6,"a
            b",three.png,test,g2
            """);
    Dataset dataset = Dataset.open(csv);
    assertThat(dataset.classes()).containsExactly("a\nb", "cat", "dog");
    LabelledImage first = dataset.part(Part.TRAIN).get(0);
    assertThat(first.id()).isEqualTo("pictures/one.png");
    assertThat(first.group()).isEqualTo("g1");
    assertThat(first.source().decode(new Decoder()).width()).isEqualTo(4);
    assertThat(dataset.part(Part.VALIDATION).get(0).group()).isNull();
    assertThat(dataset.part(Part.TEST).get(0).label()).isZero();
    assertThat(dataset.problems())
        .anySatisfy(problem -> assertThat(problem).contains("row 5 names missing.png"))
        .anySatisfy(problem -> assertThat(problem).contains("row 6 says \"sometimes\""))
        .anySatisfy(problem -> assertThat(problem).contains("row 7 has no label"))
        .hasSize(3);
  }

  @Test
  void tablesWithoutNamesAndWithOtherSeparators() throws Exception {
    image("1.png");
    image("2.png");
    for (String separator : List.of(",", ";", "\t")) {
      Path csv = text("list.tsv", "1.png%sx\r\n2.png%sy".formatted(separator, separator));
      Dataset dataset = Dataset.open(csv);
      assertThat(dataset.classes()).as(separator).containsExactly("x", "y");
      assertThat(ids(dataset.part(Part.ALL))).containsExactly("1.png", "2.png");
    }
  }

  @Test
  void damagedTablesAreRefusedWithAReason() throws Exception {
    image("1.png");
    assertThatThrownBy(() -> Dataset.open(text("a.csv", "")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("is empty");
    assertThatThrownBy(() -> Dataset.open(text("b.csv", "path,colour\n1.png,red\n")))
        .hasMessageContaining("no column named label");
    assertThatThrownBy(() -> Dataset.open(text("c.csv", "path,label\n\"1.png,red\n")))
        .hasMessageContaining("ends inside a quoted field");
    assertThatThrownBy(() -> Dataset.open(text("d.csv", "x".repeat(70_000))))
        .hasMessageContaining("is it really a table");
    assertThatThrownBy(
            () -> Dataset.open(text("e.csv", "path,label,split\n1.png,a,\n1.png,b,test\n")))
        .hasMessageContaining("say nothing about their split");
    Path latin = folder.resolve("f.csv");
    Files.write(latin, "path,label\n1.png,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Dataset.open(latin)).hasMessageContaining("is not UTF-8");
  }

  private void idx(String name, byte[] bytes) throws IOException {
    try (OutputStream out = Files.newOutputStream(folder.resolve(name))) {
      if (name.endsWith(".gz")) {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
          gzip.write(bytes);
        }
        out.write(zipped.toByteArray());
      } else {
        out.write(bytes);
      }
    }
  }

  private void idxFiles() throws IOException {
    byte[] pixels = new byte[3 * 2 * 4];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (200 + i);
    }
    idx("train-images-idx3-ubyte.gz", Fixtures.idx(0x803, new int[] {3, 2, 4}, pixels));
    idx("train-labels-idx1-ubyte", Fixtures.idx(0x801, new int[] {3}, new byte[] {2, 0, 1}));
    idx(
        "t10k-images.idx3-ubyte",
        Fixtures.idx(0x803, new int[] {1, 2, 4}, Arrays.copyOf(pixels, 8)));
    idx("t10k-labels.idx1-ubyte.gz", Fixtures.idx(0x801, new int[] {1}, new byte[] {0}));
  }

  @Test
  void idxFilesPlainAndGzipped() throws Exception {
    idxFiles();
    Dataset dataset = Dataset.open(folder);
    assertThat(dataset.classes()).containsExactly("0", "1", "2");
    assertThat(ids(dataset.part(Part.TRAIN))).containsExactly("train#0", "train#1", "train#2");
    assertThat(dataset.part(Part.TEST).size()).isEqualTo(1);
    LabelledImage second = dataset.part(Part.TRAIN).get(1);
    assertThat(second.label()).isZero();
    RgbImage image = second.source().decode(new Decoder());
    assertThat(image.width()).isEqualTo(4);
    assertThat(image.height()).isEqualTo(2);
    assertThat(image.pixels()[3 * 5 + 2]).isEqualTo((byte) (200 + 8 + 5));
    text("labels.txt", "zero\none\ntwo\n");
    assertThat(Dataset.open(folder).classes()).containsExactly("zero", "one", "two");
  }

  @Test
  void damagedIdxFilesAreRefusedWithAReason() throws Exception {
    idxFiles();
    text("labels.txt", "zero\none\n");
    refused("names 2 classes, but the data has 3");
    Files.delete(folder.resolve("labels.txt"));
    String images = "train-images-idx3-ubyte.gz";
    idx(images, Fixtures.idx(0x803, new int[] {3, 2, 4}, new byte[23]));
    refused("ends too early");
    idx(images, Fixtures.idx(0x803, new int[] {2, 2, 4}, new byte[16]));
    refused("holds 2 images but");
    idx(images, Fixtures.idx(0x803, new int[] {3, 2, 4}, new byte[25]));
    refused("longer than its header says");
    idx(images, Fixtures.idx(0x803, new int[] {Integer.MAX_VALUE, 4000, 4000}, new byte[9]));
    refused("of memory");
    idx(images, Fixtures.idx(0x803, new int[] {3, 0, 4}, new byte[0]));
    refused("claims 3 images of 4x0");
    idx(images, Fixtures.idx(0x801, new int[] {3}, new byte[3]));
    refused("is no IDX file of bytes with 3 axes");
    Files.write(folder.resolve(images), new byte[] {1, 2, 3, 4, 5});
    refused("is damaged");
    Files.delete(folder.resolve("train-labels-idx1-ubyte"));
    idx(images, Fixtures.idx(0x803, new int[] {3, 2, 4}, new byte[24]));
    refused("has no file of labels");
  }

  private void refused(String reason) {
    assertThatThrownBy(() -> Dataset.open(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void cifarTen() throws Exception {
    Path bin = Files.createDirectories(folder.resolve("cifar-10-batches-bin"));
    byte[] records = new byte[2 * 3073];
    records[0] = 9;
    records[1 + 1024 + 33] = 77; // green of row 1, column 1
    records[3073] = 4;
    Files.write(bin.resolve("data_batch_1.bin"), records);
    Files.write(bin.resolve("data_batch_2.bin"), Arrays.copyOf(records, 3073));
    Files.write(bin.resolve("test_batch.bin"), Arrays.copyOf(records, 3073));
    Files.writeString(
        bin.resolve("batches.meta.txt"),
        "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
    Dataset dataset = Dataset.open(folder);
    LabelledImages train = dataset.part(Part.TRAIN);
    assertThat(ids(train)).containsExactly("train#0", "train#1", "train#2");
    assertThat(train.classes().get(train.get(0).label())).isEqualTo("truck");
    assertThat(train.get(1).label()).isEqualTo(4);
    assertThat(dataset.part(Part.TEST).size()).isEqualTo(1);
    RgbImage image = train.get(0).source().decode(new Decoder());
    assertThat(image.pixels()[3 * 33 + 1]).isEqualTo((byte) 77);
    assertThat(image.pixels()[3 * 33]).isZero();
    Files.write(bin.resolve("test_batch.bin"), Arrays.copyOf(records, 3000));
    refused("no whole number of records");
    records[0] = 10;
    Files.write(bin.resolve("test_batch.bin"), records);
    refused("of class 10");
  }

  @Test
  void cifarHundredCountsTheFineLabel() throws Exception {
    byte[] record = new byte[3074];
    record[0] = 3;
    record[1] = 42;
    Files.write(folder.resolve("train.bin"), record);
    Files.write(folder.resolve("test.bin"), record);
    Dataset dataset = Dataset.open(folder);
    assertThat(dataset.classes()).hasSize(100);
    assertThat(dataset.part(Part.TEST).get(0).label()).isEqualTo(42);
  }

  @Test
  void labelsOfAModelAreFoundByNameOrNumber() throws Exception {
    LabelledImages images = Fixtures.images(1, 1, 1, 0);
    assertThat(images.relabelled(List.of("other", "Class-1", "class 0")).counts())
        .containsExactly(0, 1, 1);
    assertThatThrownBy(() -> images.relabelled(List.of("class 1", "x", "y")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("class 0");
    LabelledImages numbered = new LabelledImages(List.of("0", "1", "2"), images.images());
    assertThat(numbered.relabelled(List.of("a", "b")).counts()).containsExactly(1, 1);
    assertThat(numbered.relabelled(List.of("2", "1", "0")).counts()).containsExactly(0, 1, 1);
    List<String> nameless = List.of("LABEL_0", "LABEL_1", "LABEL_2");
    assertThat(images.relabelled(nameless).counts()).containsExactly(1, 1, 0);
    assertThatThrownBy(() -> images.relabelled(nameless.subList(0, 2)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("LABEL_0");
  }

  @Test
  void fashionMnist() throws Exception {
    Dataset dataset = Dataset.open(Fixtures.fashionMnist());
    int[] train = dataset.part(Part.TRAIN).counts();
    int[] test = dataset.part(Part.TEST).counts();
    assertThat(train).hasSize(10).containsOnly(6000);
    assertThat(test).hasSize(10).containsOnly(1000);
    // The first training image is an ankle boot: dark above, bright below.
    LabelledImage boot = dataset.part(Part.TRAIN).get(0);
    assertThat(boot.label()).isEqualTo(9);
  }
}
