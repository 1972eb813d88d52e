package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResumeTest {
  @TempDir Path folder;
  private Path images = Path.of("");

  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    for (String name : List.of("0.png", "1,\"x\".png", "2\nline.png", "4.png", "5.png")) {
      TestImages.png(images.resolve(name), 30, 30, 40);
    }
    Files.writeString(images.resolve("3.png"), "broken");
  }

  /** Cuts the output of a whole run everywhere and expects the same file after resuming. */
  @ParameterizedTest
  @ValueSource(strings = {"csv", "jsonl"})
  void continuesWhereverItWasCut(String format) throws IOException {
    Path output = folder.resolve("out." + format);
    assertThat(run(output).exitCode()).isZero();
    byte[] whole = Files.readAllBytes(output);
    for (int cut = 0; cut < whole.length; cut += 1 + whole.length / 23) {
      Files.delete(output);
      Files.write(ResultOutput.partial(output), Arrays.copyOf(whole, cut));
      CommandLineRun run = run(output, "--resume");
      assertThat(run.exitCode()).as("cut at %d: %s", cut, run.err()).isZero();
      assertThat(Files.readString(output)).isEqualTo(new String(whole, StandardCharsets.UTF_8));
      assertThat(ResultOutput.partial(output)).doesNotExist();
      assertThat(run.err()).contains("3.png").contains("1 of 6 images could not be read");
    }
  }

  @Test
  void doesNotComputeAgainWhatIsRecorded() throws IOException {
    Path output = folder.resolve("out.jsonl");
    String recorded =
        "{\"file\": \"%s\", \"predictions\": []}\n".formatted(images.resolve("0.png"));
    Files.writeString(ResultOutput.partial(output), recorded + "{\"file\": \"torn");
    CommandLineRun run = run(output, "--resume");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("resuming after 1 images");
    assertThat(Files.readString(output)).startsWith(recorded).doesNotContain("torn");
    assertThat(Files.readAllLines(output)).hasSize(5);
  }

  @Test
  void startsFromTheBeginningWhereNothingIsLeftAndStopsWhereAllIsDone() throws IOException {
    Path output = folder.resolve("out.jsonl");
    assertThat(run(output, "--resume").exitCode()).isZero();
    assertThat(Files.readAllLines(output)).hasSize(5);
    Files.writeString(output, "untouched");
    CommandLineRun run = run(output, "--resume");
    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).contains("nothing to resume");
    assertThat(output).hasContent("untouched");
  }

  @Test
  void refusesOtherInputsAndOtherFilesAndLeavesThemAsTheyAre() throws IOException {
    Path output = folder.resolve("out.jsonl");
    Path partial = ResultOutput.partial(output);
    String first = "{\"file\": \"%s\", \"predictions\": []}\n".formatted(images.resolve("0.png"));
    for (String content :
        List.of(
            "{\"file\": \"elsewhere.png\", \"predictions\": []}\n",
            first + first,
            "no json at all\n",
            "{\"file\": 3}\n",
            "file,label,score\r\n")) {
      Files.writeString(partial, content);
      CommandLineRun run = run(output, "--resume");
      assertThat(run.exitCode()).as(content).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("without --resume");
      assertThat(partial).hasContent(content);
    }
    Path csv = folder.resolve("out.csv");
    Files.writeString(ResultOutput.partial(csv), "file,label,score\r\n");
    assertThat(run(csv, "--resume").err()).contains("without --resume");
    assertThat(run(csv, "--resume", "--top-k", 1).exitCode()).isZero();
  }

  private CommandLineRun run(Path output, Object... options) {
    Object[] args = new Object[options.length + 7];
    args[0] = "classify";
    args[1] = "--model";
    args[2] = VIT_TINY;
    args[3] = "--output";
    args[4] = output;
    // To the last digit the same, whichever images are computed together.
    args[5] = "--device=scalar";
    System.arraycopy(options, 0, args, 6, options.length);
    args[args.length - 1] = images;
    return CommandLineRun.inside(args);
  }
}
