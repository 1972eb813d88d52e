package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command from images to a run's directory, on a very small model. */
@Timeout(300)
class TrainCommandTest {
  private static final List<String> SMALL =
      List.of(
          "--init",
          "vit-nano",
          "--hidden-size",
          "16",
          "--layers",
          "2",
          "--heads",
          "2",
          "--lr",
          "0.005",
          "--batch-size",
          "8",
          "--validation",
          "0.25",
          "--threads",
          "2");

  @TempDir Path folder;
  private Path images;
  private Path run;

  @BeforeEach
  void images() throws IOException {
    images = folder.resolve("images");
    run = folder.resolve("run");
    for (int i = 0; i < 48; i++) {
      Path label = Files.createDirectories(images.resolve(i % 2 == 0 ? "day" : "night"));
      TestImages.png(label.resolve("img" + i + ".png"), 12, 12, i % 2 == 0 ? 150 + i : 20 + i);
    }
  }

  @Test
  void leavesAModelCurvesMetricsAndSettings() throws Exception {
    CommandLineRun done = train("--epochs", "3");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.err())
        .contains("36 training and 12 validation images of 2 classes")
        .contains("A new ViT with 0.01 million parameters: 12×12 pixels of gray in patches of 4×4")
        .contains("3 epochs of 4 batches of 8 images, adamw")
        .contains("epoch 3  loss");
    assertThat(done.err().lines().filter(line -> line.startsWith("epoch"))).hasSize(3);
    assertThat(done.out()).contains("of the validation images right");
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(3);
    assertThat(Files.size(run.resolve("curves.png"))).isGreaterThan(1000);
    assertThat(Files.readAllLines(run.resolve("split.csv")))
        .hasSize(49)
        .filteredOn(line -> line.endsWith(",validation"))
        .hasSize(12);
    for (String checkpoint : List.of("best", "last")) {
      try (Model model = Models.load(run.resolve(checkpoint))) {
        assertThat(model.labels()).containsExactly("day", "night");
      }
      assertThat(run.resolve(checkpoint).resolve("README.md"))
          .content()
          .contains("tessera train")
          .contains("| training images | 36 |")
          .contains("day, night")
          .contains("(best)");
    }
  }

  @Test
  void aRunIsNotOverwrittenUnasked() throws Exception {
    assertThat(train("--epochs", "1").exitCode()).isZero();
    byte[] best = Files.readAllBytes(run.resolve("best/model.safetensors"));
    CommandLineRun refused = train("--epochs", "1", "--seed", "5");
    assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err()).contains("holds a training already");
    assertThat(Files.readAllBytes(run.resolve("best/model.safetensors"))).isEqualTo(best);
    assertThat(train("--epochs", "1", "--seed", "5", "--overwrite").exitCode()).isZero();
    assertThat(Files.readAllBytes(run.resolve("best/model.safetensors"))).isNotEqualTo(best);
    assertThat(train("--overwrite", "--resume").err()).contains("exclude each other");
  }

  @Test
  void theSettingsRunAgainToTheSameModel() throws Exception {
    assertThat(
            train(
                    "--epochs",
                    "2",
                    "--optimizer",
                    "muon",
                    "--dropout",
                    "0.1",
                    "--rand-augment",
                    "rand-m5-mstd0.5",
                    "--color-jitter",
                    "0.4")
                .exitCode())
        .isZero();
    Path again = folder.resolve("again");
    CommandLineRun done =
        CommandLineRun.inside("train", "--config", run.resolve("config.json"), "--output", again);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(Files.readAllBytes(again.resolve("last/model.safetensors")))
        .isEqualTo(Files.readAllBytes(run.resolve("last/model.safetensors")));
    assertThat(run.resolve("last/README.md"))
        .content()
        .contains("Muon, momentum 0.95, for the blocks' matrices; AdamW");
    Path other = folder.resolve("other");
    done =
        CommandLineRun.inside(
            "train", "--config", run.resolve("config.json"), "--epochs", 1, "--output", other);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(Files.readAllLines(other.resolve("metrics.jsonl"))).hasSize(1);
  }

  @Test
  void goesOnOnlyWithTheSameSettingsAndImages() throws Exception {
    assertThat(train("--epochs", "1").exitCode()).isZero();
    CommandLineRun done = CommandLineRun.inside("train", "--output", run, "--resume");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.err()).contains("complete already");
    done = CommandLineRun.inside("train", "--output", run, "--resume", "--lr", "0.1");
    assertThat(done.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(done.err()).contains("has other settings (--lr 0.1, not 0.005)");
    assertThat(CommandLineRun.inside("train", "--output", run, "--resume", "-j", "1").exitCode())
        .isZero();
    Files.delete(images.resolve("day/img0.png"));
    done = CommandLineRun.inside("train", "--output", run, "--resume");
    assertThat(done.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(done.err()).contains("holds other images");
  }

  @Test
  void resumingNothingBegins() throws Exception {
    CommandLineRun nothing = CommandLineRun.inside("train", "--output", run, "--resume");
    assertThat(nothing.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(nothing.err()).contains("there is no training in").contains("give DIR");
    assertThat(train("--epochs", "1", "--resume").exitCode()).isZero();
  }

  @Test
  void fineTunesAModelWithOtherLabelsAndAnotherSize() throws Exception {
    CommandLineRun done =
        CommandLineRun.inside(
            "train",
            images,
            "--init",
            VIT_TINY,
            "--image-size",
            24,
            "--epochs",
            1,
            "--output",
            run,
            "--head-only");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.err())
        .contains("with a new classifier of 2 labels in place of the one of 10, and position")
        .contains("embeddings resized from 4×4 to 3×3 patches for images of 24×24 pixels");
    try (Safetensors before = Safetensors.open(VIT_TINY.resolve("model.safetensors"));
        Safetensors after = Safetensors.open(run.resolve("best/model.safetensors"))) {
      String frozen = "vit.encoder.layer.2.output.dense.weight";
      assertThat(after.tensor(frozen).toFloats()).isEqualTo(before.tensor(frozen).toFloats());
      assertThat(after.tensor("classifier.weight").shape().extent(0)).isEqualTo(2);
    }
  }

  @Test
  void aCacheOnDiskChangesNothingButTheTime() throws Exception {
    assertThat(train("--epochs", "2").exitCode()).isZero();
    byte[] expected = Files.readAllBytes(run.resolve("last/model.safetensors"));
    Path cache = folder.resolve("cache");
    for (int i = 0; i < 2; i++) { // the second time the images come from the cache
      CommandLineRun done = train("--epochs", "2", "--overwrite", "--cache-dir", cache.toString());
      assertThat(done.exitCode()).as(done.err()).isZero();
      assertThat(Files.readAllBytes(run.resolve("last/model.safetensors"))).isEqualTo(expected);
      try (Stream<Path> files = Files.list(cache)) {
        assertThat(files.mapToLong(file -> file.toFile().length()).sum()).isGreaterThan(48 * 144);
      }
    }
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    CommandLineRun refused = train("--epochs", "1", "--overwrite", "--cache-dir", file.toString());
    assertThat(refused.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(refused.err()).contains("cannot write " + file);
  }

  @Test
  void imagesThatCannotBeReadAreListedAndReplaced() throws Exception {
    Files.writeString(images.resolve("day/broken.png"), "no picture");
    Files.writeString(images.resolve("night/broken.png"), "no picture");
    CommandLineRun done = train("--epochs", "2", "--validation", "0");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.err()).contains("2 images cannot be read, see");
    assertThat(Files.readAllLines(run.resolve("skipped.txt")))
        .hasSize(2)
        .allMatch(line -> line.contains("broken.png"));
    assertThat(done.out()).contains("none were left to validate");
    assertThat(run.resolve("best/model.safetensors")).exists();
  }

  @Test
  void aTrainingThatDivergesSaysSo() {
    CommandLineRun done = train("--epochs", "3", "--lr", "1e38", "--clip", "0", "--warmup", "0");
    assertThat(done.exitCode()).as(done.err()).isEqualTo(ExitCode.DIVERGED);
    assertThat(done.err())
        .containsPattern("the (loss|gradient|parameter .*) became")
        .contains("--lr");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--init no-such-model | neither a model directory nor one of vit-nano, vit-micro",
        "--patch-size 5 | cannot be cut into patches of 5",
        "--epochs 0 | at least one epoch",
        "--warmup 1.5 | warm-up must be a share",
        "--layer-decay 0 | layer-wise",
        "--freeze-blocks 7 | cannot freeze 7 blocks of a model that has 2",
        "--betas 0.9 | two numbers",
        "--optimizer muon --momentum 1 | from 0 to below 1",
        "--group sizes | is no grouping",
        "--accumulate 100 | too few for updates from 100 each",
        "--drop-path 1 | must be in [0, 1)",
        "--min-lr 1 | lowest learning rate",
        "--ema 1 | moving average",
        "--mixup -1 | ",
        "--rand-augment wild | wild",
        "--color-jitter -1 | ",
        "--config none.json | none.json",
        "--precision fp16 | loses small gradients"
      })
  void nonsenseIsRefused(String options, String message) throws IOException {
    CommandLineRun done = train(options.split(" "));
    assertThat(done.exitCode()).as(done.err()).isIn(ExitCode.USAGE, ExitCode.CHECKPOINT);
    assertThat(done.err()).contains(message == null ? "" : message);
    assertThat(run.resolve("best")).doesNotExist();
  }

  @Test
  void classesGetTheNamesThatTheDataLack() throws Exception {
    CommandLineRun done = train("--epochs", "1", "--labels", "bright,dark");
    assertThat(done.exitCode()).as(done.err()).isZero();
    try (Model model = Models.load(run.resolve("best"))) {
      assertThat(model.labels()).containsExactly("bright", "dark");
    }
    done = train("--overwrite", "--labels", "bright,dark,dim");
    assertThat(done.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(done.err()).contains("--labels must name each of the 2 classes once");
  }

  @Test
  void helpHasHeadings() {
    Path nowhere = folder.resolve("nowhere");
    CommandLineRun done = CommandLineRun.inside("train", nowhere, "-o", run);
    assertThat(done.exitCode()).isEqualTo(ExitCode.DATA);
    assertThat(done.err()).contains("does not exist");
    CommandLineRun help = CommandLineRun.inside("train", "--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.out())
        .contains("The run:", "The model:", "The data:", "Learning:", "Varying the images:")
        .contains("tessera train --output runs/photos --resume");
  }

  /** Killed again and again without warning, it comes to the numbers of one that was left alone. */
  @Test
  void aKilledTrainingComesToTheSameNumbers() throws Exception {
    List<String> more =
        List.of("--epochs", "40", "--checkpoint-every", "0.0005", "--drop-path", "0.1");
    CommandLineRun whole = train(more.toArray(String[]::new));
    assertThat(whole.exitCode()).as(whole.err()).isZero();
    Path killed = folder.resolve("killed");
    Path metrics = killed.resolve("metrics.jsonl");
    for (int kill = 1; kill <= 2; kill++) {
      Path streams = Files.createDirectory(folder.resolve("streams" + kill));
      Process process =
          CommandLineRun.start(streams, List.of(), arguments(killed, more, "--resume"));
      while (process.isAlive() && lines(metrics) < 12L * kill) {
        Thread.sleep(2);
      }
      assertThat(process.isAlive()).as("killed before it was done").isTrue();
      process.destroyForcibly().waitFor();
    }
    CommandLineRun rest = CommandLineRun.inside(arguments(killed, more, "--resume"));
    assertThat(rest.exitCode()).as(rest.err()).isZero();
    assertThat(rest.err()).contains("going on after");
    for (String file : List.of("best/model.safetensors", "last/model.safetensors")) {
      assertThat(Files.readAllBytes(killed.resolve(file)))
          .as(file)
          .isEqualTo(Files.readAllBytes(run.resolve(file)));
    }
    assertThat(untimed(metrics)).isEqualTo(untimed(run.resolve("metrics.jsonl")));
  }

  @Test
  void interruptedItSavesAndSaysHowToGoOn() throws Exception {
    Process process =
        CommandLineRun.start(
            folder, List.of(), arguments(run, List.of("--epochs", "2000"), "--seed", "1"));
    while (process.isAlive() && lines(run.resolve("metrics.jsonl")) < 2) {
      Thread.sleep(5);
    }
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    CommandLineRun done = CommandLineRun.finish(process, folder);
    assertThat(done.exitCode()).as(done.err()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(done.err()).contains("interrupted in epoch").contains("--resume");
    try (Safetensors state = Safetensors.open(run.resolve("state.safetensors"))) {
      Map<String, ?> position = Json.asObject(Json.parse(state.metadata().get("tessera.training")));
      assertThat((Long) position.get("epoch")).isGreaterThanOrEqualTo(2);
    }
  }

  private static long lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  private static List<String> untimed(Path metrics) throws IOException {
    return Files.readAllLines(metrics).stream()
        .map(line -> line.replaceFirst(", \"images_per_second.*", ""))
        .toList();
  }

  private CommandLineRun train(String... more) {
    return CommandLineRun.inside(arguments(run, Arrays.asList(more)));
  }

  private Object[] arguments(Path output, List<String> more, String... last) {
    List<Object> words = new ArrayList<>(List.of("train", images, "--output", output));
    for (int i = 0; i < SMALL.size(); i += 2) {
      if (!more.contains(SMALL.get(i))) {
        words.add(SMALL.get(i));
        words.add(SMALL.get(i + 1));
      }
    }
    words.addAll(more);
    words.addAll(Arrays.asList(last));
    return words.toArray();
  }
}
