package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model in {@code pretrained/}, which was trained with {@code tessera train}. */
class PretrainedModelTest {
  /** Of the 10 000 test images, as the model's card and the documentation say. */
  private static final double TOP_1 = 0.9336;

  private static final Path DATA = Path.of("/usr/share/datasets/fashion-mnist");

  @TempDir Path folder;

  @Test
  void labelsTheSampleImagesWithoutBeingNamed() throws Exception {
    Process process =
        CommandLineRun.start(
            folder,
            List.of("-Dtessera.home=.."),
            "classify",
            "../examples/images",
            "--top-k",
            1,
            "--format",
            "csv");
    CommandLineRun done = CommandLineRun.finish(process, folder);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.out().lines().skip(1)).hasSize(10).allSatisfy(PretrainedModelTest::assertRight);
  }

  /** The sample images are named as what they show. */
  private static void assertRight(String line) {
    String[] cells = line.split(",", -1);
    String file = Path.of(cells[0]).getFileName().toString();
    assertThat(cells[1].toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", "-") + ".png")
        .isEqualTo(file);
  }

  @Test
  void isRightAsOftenAsItsCardSays() throws Exception {
    assumeThat(DATA).as("skipped: install Debian's dataset-fashion-mnist").exists();
    Path result = folder.resolve("result.json");
    CommandLineRun done =
        CommandLineRun.inside("eval", "../pretrained/vit-fashion-mnist", DATA, "--output", result);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat((Double) Json.readObject(result).get("top1")).isCloseTo(TOP_1, within(1e-4));
  }
}
