package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClassifyCommandTest {
  @TempDir Path folder;
  private Path images = Path.of("");
  private Path output = Path.of("");

  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    output = folder.resolve("out.jsonl");
    for (int i = 0; i < 9; i++) {
      TestImages.png(images.resolve(i + ".png"), 20 + i, 30, 25 * i);
    }
  }

  @Test
  void writesALineForEachImageInOrder() throws IOException {
    CommandLineRun run = classify(images);
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    List<String> lines = Files.readAllLines(output);
    assertThat(lines).hasSize(9);
    for (int i = 0; i < 9; i++) {
      assertThat(lines.get(i))
          .matches(
              "\\{\"file\": \"\\Q"
                  + images.resolve(i + ".png")
                  + "\\E\", \"predictions\": \\[(\\{\"label\": \"[^\"]+\", \"score\": [0-9.E-]+\\}(, )?){5}\\]\\}");
    }
    assertThat(ResultOutput.partial(output)).doesNotExist();
  }

  @Test
  void resultsDoNotDependOnBatchesThreadsOrDevice() throws IOException {
    classify(images);
    List<String> expected = labels(Files.readAllLines(output));
    for (List<String> options :
        List.of(
            List.of("--batch-size", "1"),
            List.of("--batch-size", "4", "--threads", "1"),
            List.of("-b", "64", "-j", "8"),
            List.of("--device", "cpu"),
            List.of("--device", "scalar"),
            List.of("--device", "tornado"),
            List.of("--device", "opencl:0", "--batch-size", "4"))) {
      CommandLineRun run = classify(images, options.toArray());
      assertThat(run.exitCode()).as("%s: %s", options, run.err()).isZero();
      assertThat(labels(Files.readAllLines(output))).as("%s", options).isEqualTo(expected);
    }
  }

  @Test
  void topKAndThresholdBoundThePredictions() throws IOException {
    classify(images.resolve("0.png"), "--top-k", 1);
    assertThat(Files.readString(output)).containsOnlyOnce("label");
    classify(images.resolve("0.png"), "--top-k", 500);
    assertThat(Files.readString(output).split("label", -1)).hasSize(1 + 10);
    classify(images.resolve("0.png"), "--threshold", 1);
    assertThat(Files.readString(output)).endsWith("\"predictions\": []}\n");
  }

  @Test
  void theNameOfTheOutputDecidesTheFormatUnlessOneIsGiven() throws IOException {
    output = folder.resolve("out.csv");
    classify(images, "--top-k", 2);
    assertThat(Files.readString(output)).startsWith("file,label,score,label2,score2\r\n");
    assertThat(Files.readAllLines(output)).hasSize(10);
    classify(images, "--format", "table");
    assertThat(Files.readString(output)).startsWith(" SCORE  LABEL");
    output = folder.resolve("out.txt");
    classify(images);
    assertThat(Files.readString(output)).startsWith(" SCORE  LABEL");
    classify(images, "-f", "JSONL");
    assertThat(Files.readString(output)).startsWith("{\"file\"");
  }

  @Test
  void imagesThatCannotBeReadAreListedCountedAndSkipped() throws IOException {
    Files.writeString(images.resolve("3a.png"), "no image");
    Files.createFile(images.resolve("9.jpg"));
    CommandLineRun run = classify(images);
    assertThat(run.exitCode()).isZero();
    assertThat(run.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("tessera: " + images.resolve("3a.png")),
            line -> assertThat(line).startsWith("tessera: " + images.resolve("9.jpg")),
            line -> assertThat(line).isEqualTo("tessera: 2 of 11 images could not be read"));
    assertThat(Files.readAllLines(output)).hasSize(9);
  }

  @Test
  void maxPixelsBoundsImages() {
    CommandLineRun run = classify(images.resolve("0.png"), "--max-pixels", 599);
    assertThat(run.exitCode()).isEqualTo(ExitCode.NO_IMAGE);
    assertThat(run.err()).contains("--max-pixels");
    assertThat(classify(images.resolve("0.png"), "--max-pixels", 600).exitCode()).isZero();
  }

  @Test
  void sortsCopiesOrLinksAndDoesNotClassifyThemAgain() throws IOException {
    Path sorted = images.resolve("sorted");
    for (String mode : List.of("copy", "link", "symlink")) {
      CommandLineRun run = classify(images, "--sort-into", sorted, "--sort-mode", mode);
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(Files.readAllLines(output)).hasSize(9);
      assertThat(files(sorted)).hasSize(9);
    }
    Path unsure = folder.resolve("unsure");
    classify(images, "--sort-into", unsure, "--threshold", 1);
    assertThat(files(unsure)).hasSize(9).allMatch(f -> f.startsWith(unsure.resolve("_unsure")));
  }

  @Test
  void includeAndExcludeChooseInFolders() throws IOException {
    classify(images, "--include", "[0-4].png", "--exclude", "2.*");
    assertThat(Files.readAllLines(output)).hasSize(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--top-k 0", "--top-k x", "--threshold 1.5", "--threshold NaN", "--format xml",
        "--batch-size -1", "--threads -1", "--threads 99999", "--max-pixels 0", "--sort-mode move",
        "--no-such-option", "--include [a", "--format table --resume"
      })
  void wrongOptionsAreUsageErrors(String options) {
    CommandLineRun run = classify(images, (Object[]) options.split(" "));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("tessera: ");
    assertThat(run.err().lines().count()).isLessThanOrEqualTo(3);
    assertThat(output).doesNotExist();
  }

  @Test
  void eachFailureHasItsExitCode() throws IOException {
    Path image = images.resolve("0.png");
    assertThat(CommandLineRun.inside("classify").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(CommandLineRun.inside("clasify").err()).contains("classify");
    assertThat(classify(folder.resolve("missing")).err()).contains("missing: no such file");
    assertThat(classify(folder.resolve("missing")).exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(CommandLineRun.inside("classify", "--resume", "-m", VIT_TINY, image).exitCode())
        .isEqualTo(ExitCode.USAGE);
    assertThat(CommandLineRun.inside("classify", "-m", folder, image).exitCode())
        .isEqualTo(ExitCode.CHECKPOINT);
    Files.writeString(folder.resolve("config.json"), "{");
    assertThat(CommandLineRun.inside("classify", "-m", folder, image).exitCode())
        .isEqualTo(ExitCode.CHECKPOINT);
    assertThat(classify(Files.createDirectory(folder.resolve("empty"))).exitCode())
        .isEqualTo(ExitCode.NO_IMAGE);
    assertThat(classify(Files.writeString(folder.resolve("x.jpg"), "x")).exitCode())
        .isEqualTo(ExitCode.NO_IMAGE);
    assertThat(classify(image, "--device", "gpu").exitCode()).isEqualTo(ExitCode.DEVICE);
    output = folder.resolve("missing/out.jsonl");
    assertThat(classify(image).exitCode()).isEqualTo(ExitCode.OUTPUT);
    output = folder;
    assertThat(classify(image, "--format", "csv").exitCode()).isEqualTo(ExitCode.OUTPUT);
  }

  private CommandLineRun classify(Path path, Object... options) {
    Object[] args = new Object[options.length + 6];
    args[0] = "classify";
    args[1] = "--model";
    args[2] = VIT_TINY;
    args[3] = "--output";
    args[4] = output;
    System.arraycopy(options, 0, args, 5, options.length);
    args[args.length - 1] = path;
    return CommandLineRun.inside(args);
  }

  private static List<String> labels(List<String> lines) {
    return lines.stream().map(line -> line.replaceAll("\"score\": [0-9.E-]+", "")).toList();
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
