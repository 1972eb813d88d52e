package dev.tessera.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SplitTableTest {
  @TempDir Path folder;

  @Test
  void isReadAsTheSplitItWasWrittenFrom() throws Exception {
    for (String name : List.of("plain", "a, \"quoted\" one")) {
      for (int i = 0; i < 12; i++) {
        Fixtures.png(folder.resolve("images").resolve(name).resolve(i + ".png"), 4, 4, i);
      }
    }
    Dataset images = Dataset.open(folder.resolve("images"));
    Split split = images.split(new Split.Settings(0.25, 0.25, 3, new Grouping.None()));
    Path table = Files.writeString(folder.resolve("split.csv"), "" + SplitTable.of(split));
    Dataset read = Dataset.open(table);
    assertThat(read.problems()).isEmpty();
    assertSame(read.part(Part.TRAIN), split.train());
    assertSame(read.part(Part.VALIDATION), split.validation());
    assertSame(read.part(Part.TEST), Objects.requireNonNull(split.test()));
    assertThat(read.part(Part.TEST).size()).isEqualTo(6);
  }

  private static void assertSame(LabelledImages actual, LabelledImages expected) {
    assertThat(actual.classes()).isEqualTo(expected.classes());
    assertThat(actual.images().stream().map(image -> image.source() + " " + image.label()))
        .isEqualTo(
            expected.images().stream().map(image -> image.source() + " " + image.label()).toList());
  }

  @Test
  void imagesThatAreNoFilesHaveNone() {
    LabelledImage image =
        new LabelledImage("train#0", new ImageSource.Samples(1, 1, new byte[1]), 0, null);
    LabelledImages images = new LabelledImages(List.of("a"), List.of(image));
    assertThat(SplitTable.of(new Split(images, images.subset(), null))).isNull();
  }
}
