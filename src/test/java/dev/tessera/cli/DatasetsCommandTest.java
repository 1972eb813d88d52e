package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsCommandTest {
  private static final Path RECIPES = Path.of("../datasets");

  @TempDir Path folder;

  private Path images() throws Exception {
    for (int i = 0; i < 6; i++) {
      Path label =
          Files.createDirectories(folder.resolve("data/" + (i % 2 == 0 ? "day" : "night")));
      TestImages.png(label.resolve(i + ".png"), 9, 12, 40 * i);
    }
    return folder.resolve("data");
  }

  @Test
  void theListSaysWhatThereIsAndHowItIsLicensed() {
    CommandLineRun run = CommandLineRun.inside("datasets", "list", "--recipes", RECIPES);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("fashion-mnist  Fashion-MNIST: 70,000 gray 28x28 images", "licence: MIT")
        .contains("oxford-pets", "CC BY-SA 4.0", "download: 811 MB");
  }

  @Test
  void whatIsNotThereIsSaid() throws Exception {
    CommandLineRun unknown =
        CommandLineRun.inside("datasets", "prepare", "imagenet", "--recipes", RECIPES);
    assertThat(unknown.exitCode()).isEqualTo(ExitCode.DATA);
    assertThat(unknown.err()).contains("there is no data set \"imagenet\"; there are cifar-10");
    CommandLineRun empty =
        CommandLineRun.inside(
            "datasets",
            "prepare",
            "mnist",
            "--recipes",
            RECIPES,
            "--from",
            images(),
            "--output",
            folder.resolve("out"));
    assertThat(empty.exitCode()).isEqualTo(ExitCode.DATA);
    assertThat(empty.err()).contains("has no train-images-idx3-ubyte.gz", "CC BY-SA 3.0");
    assertThat(folder.resolve("out")).doesNotExist();
    CommandLineRun nowhere =
        CommandLineRun.inside("datasets", "list", "--recipes", folder.resolve("none"));
    assertThat(nowhere.exitCode()).isEqualTo(ExitCode.DATA);
  }

  @Test
  void aPreviewShowsImagesAndVariantsAndTheSameOnesAgain() throws Exception {
    Path data = images();
    Files.writeString(data.resolve("day/damaged.png"), "no image");
    Path first = folder.resolve("first.png");
    Path second = folder.resolve("second.png");
    for (Path output : new Path[] {first, second}) {
      CommandLineRun run =
          CommandLineRun.inside(
              "datasets",
              "preview",
              data,
              "--output",
              output,
              "--size",
              16,
              "--variants",
              3,
              "--rand-augment",
              "rand-m9-mstd0.5-inc1",
              "--erasing",
              0.5,
              "--seed",
              4);
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(run.out()).contains("6 images of", "1 could not be read");
      assertThat(run.err()).contains("damaged.png");
    }
    assertThat(first).hasSameBinaryContentAs(second);
    assertThat(ImageIO.read(first.toFile()).getWidth()).isGreaterThan(4 * 96);
    assertThat(folder.resolve("first.png.partial")).doesNotExist();
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void aPreviewOfNonsenseIsRefused() throws Exception {
    Path data = images();
    CommandLineRun text =
        CommandLineRun.inside("datasets", "preview", data, "--rand-augment", "loud");
    assertThat(text.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(text.err()).contains("rand-m9-mstd0.5-inc1");
    assertThat(CommandLineRun.inside("datasets", "preview", data, "--size", 0).exitCode())
        .isEqualTo(ExitCode.USAGE);
    CommandLineRun none = CommandLineRun.inside("datasets", "preview", folder.resolve("none"));
    assertThat(none.exitCode()).isEqualTo(ExitCode.DATA);
    Path unwritable = folder.resolve("no/such/folder.png");
    CommandLineRun output =
        CommandLineRun.inside("datasets", "preview", data, "--output", unwritable);
    assertThat(output.exitCode()).isEqualTo(ExitCode.OUTPUT);
  }
}
