package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What can only be seen from outside: standard streams, signals, memory. */
@Timeout(300)
class ProcessTest {
  /** How many files the run with a small heap gets: {@code -Dtessera.test.files=50000} for long. */
  private static final int MANY = Integer.getInteger("tessera.test.files", 3000);

  @TempDir Path folder;

  @Test
  void resultsGoToStandardOutputAndMessagesToStandardError() throws Exception {
    Path image = TestImages.png(folder.resolve("ä b.png"), 10, 10, 7);
    Path broken = Files.writeString(folder.resolve("broken.png"), "x");
    Process process = start(List.of(), "classify", "-m", VIT_TINY, "-f", "jsonl", image, broken);
    CommandLineRun run = CommandLineRun.finish(process, folder);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .singleElement()
        .asString()
        .contains("b.png")
        .contains("predictions");
    assertThat(run.err()).contains("broken.png").contains("1 of 2 images could not be read");
  }

  @Test
  void readsAListOfPathsFromStandardInput() throws Exception {
    Path image = TestImages.png(folder.resolve("a.png"), 10, 10, 7);
    Process process = start(List.of(), "classify", "-m", VIT_TINY, "-f", "csv", "-k", "1", "-");
    try (OutputStream in = process.getOutputStream()) {
      in.write(
          (image + "\n" + folder.resolve("missing.png") + "\n").getBytes(StandardCharsets.UTF_8));
    }
    CommandLineRun run = CommandLineRun.finish(process, folder);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines()).hasSize(2);
    assertThat(run.err()).contains("missing.png does not exist");
  }

  @Test
  void closedOutputIsAnOutputError() throws Exception {
    assumeThat(Path.of("/dev/full")).exists();
    Path image = TestImages.png(folder.resolve("a.png"), 10, 10, 7);
    CommandLineRun run =
        CommandLineRun.finish(
            CommandLineRun.start(
                folder, Path.of("/dev/full"), List.of(), "classify", "-m", VIT_TINY, image),
            folder);
    assertThat(run.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(run.err()).contains("cannot write standard output");
  }

  /** Killed without warning, a run leaves whole lines and no file under the final name. */
  @Test
  void aKilledRunResumesToTheSameFile() throws Exception {
    Path images = manyImages(1500);
    Path output = folder.resolve("out.jsonl");
    Process process = start(List.of("-Xmx128m"), "classify", "-m", VIT_TINY, "-o", output, images);
    Path partial = ResultOutput.partial(output);
    while (process.isAlive() && (!Files.exists(partial) || Files.size(partial) < 20_000)) {
      Thread.sleep(5);
    }
    process.destroyForcibly().waitFor();
    assertThat(output).doesNotExist();
    long before = Files.size(partial);
    CommandLineRun run =
        CommandLineRun.inside("classify", "-m", VIT_TINY, "-o", output, "--resume", images);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(before).isGreaterThan(0);
    assertThat(Files.readAllLines(output))
        .hasSize(1500)
        .allMatch(line -> line.startsWith("{\"file\": ") && line.endsWith("]}"));
  }

  @Test
  void interruptedItWritesWhatIsDoneAndSaysSo() throws Exception {
    Path images = manyImages(3000);
    Path output = folder.resolve("out.jsonl");
    Process process =
        start(List.of("-Xmx128m"), "classify", "-m", VIT_TINY, "-b", "1", "-o", output, images);
    Path partial = ResultOutput.partial(output);
    while (process.isAlive() && (!Files.exists(partial) || Files.size(partial) == 0)) {
      Thread.sleep(5);
    }
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    CommandLineRun run = CommandLineRun.finish(process, folder);
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(run.err()).contains("interrupted after");
    assertThat(output).doesNotExist();
    assertThat(Files.readString(partial)).endsWith("]}\n");
  }

  @Test
  void memoryStaysBoundedOverManyFiles() throws Exception {
    Path images = manyImages(MANY);
    Path output = folder.resolve("out.csv");
    Process process =
        start(List.of("-Xmx64m"), "classify", "-m", VIT_TINY, "-k", "1", "-o", output, images);
    CommandLineRun run = CommandLineRun.finish(process, folder);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(Files.readAllLines(output)).hasSize(MANY + 1);
  }

  private Process start(List<String> jvmOptions, Object... args) throws IOException {
    return CommandLineRun.start(folder, jvmOptions, args);
  }

  /** The same small picture under many names. */
  private Path manyImages(int count) throws IOException {
    Path images = Files.createDirectory(folder.resolve("images"));
    byte[] png = Files.readAllBytes(TestImages.png(folder.resolve("one.png"), 32, 32, 99));
    for (int i = 0; i < count; i++) {
      Files.write(images.resolve("picture%06d.png".formatted(i)), png);
    }
    return images;
  }
}
