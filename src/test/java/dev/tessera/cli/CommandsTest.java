package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.image.Decoder;
import dev.tessera.image.RgbImage;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "classify --help",
        "models --help",
        "models info --help",
        "models run --help",
        "preprocess --help",
        "devices --help"
      })
  void everyHelpHasExamplesAndExitCodes(String words) {
    CommandLineRun run = CommandLineRun.inside((Object[]) words.split(" "));
    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("Examples:\n  tessera ")
        .contains("Exit codes:")
        .contains("130 ");
    assertThat(run.out().lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void theTopPageGroupsTheCommands() {
    CommandLineRun run = CommandLineRun.inside();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsSubsequence(
            "Images:",
            "classify",
            "Models:",
            "models",
            "comparing",
            "preprocess",
            "devices",
            "generate-completion")
        .doesNotContain("warm-up");
    assertThat(CommandLineRun.inside("models").out()).contains("info").contains("run");
  }

  @Test
  void saysItsVersion() {
    assertThat(CommandLineRun.inside("--version").out()).startsWith("tessera ").contains("Java 2");
    assertThat(CommandLineRun.inside("classify", "-V").out()).startsWith("tessera ");
  }

  @Test
  void generatesACompletionScriptWithAllCommands() {
    CommandLineRun run = CommandLineRun.inside("generate-completion");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("complete ").contains("--sort-into").contains("preprocess");
  }

  @Test
  void devicesSaysWhichIsUsed() {
    CommandLineRun run = CommandLineRun.inside("devices");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("cpu ")
        .contains("scalar ")
        .contains("Without --device, cpu is used");
  }

  @Test
  void modelsInfoSaysWhatIsInTheDirectory() {
    CommandLineRun run = CommandLineRun.inside("models", "info", VIT_TINY, "--all-labels");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("architecture   ViTForImageClassification")
        .contains("32 × 32 pixels (height × width), 3 channels")
        .contains("F32")
        .contains("labels         10: airplane, ")
        .contains("\n0\tairplane\n");
    CommandLineRun bad = CommandLineRun.inside("models", "info", folder);
    assertThat(bad.exitCode()).isEqualTo(ExitCode.CHECKPOINT);
    assertThat(bad.err()).contains("config.json");
    assertThat(CommandLineRun.inside("models", "info").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "scalar"})
  void modelsRunWritesEveryStage(String device) throws Exception {
    Path golden = VIT_TINY.resolve("expected.safetensors");
    Path output = folder.resolve("out.safetensors");
    CommandLineRun run =
        CommandLineRun.inside(
            "models", "run", VIT_TINY, "--input", golden, "--output", output, "--device", device);
    assertThat(run.exitCode()).as(run.err()).isZero();
    try (Safetensors expected = Safetensors.open(golden);
        Safetensors actual = Safetensors.open(output)) {
      for (String name :
          List.of(
              "embeddings_out",
              "layer_0_out",
              "layer_1_out",
              "layer_2_out",
              "attn_layer_0",
              "last_hidden_state",
              "logits")) {
        Tensor wanted = expected.tensor(name);
        assertThat(actual.tensor(name).shape()).isEqualTo(wanted.shape());
        assertThat(actual.tensor(name).toFloats())
            .as(name)
            .usingComparatorWithPrecision(1e-4f)
            .containsExactly(wanted.toFloats());
      }
    }
  }

  @Test
  void modelsRunSaysWhatIsWrongWithItsInput() throws Exception {
    Path output = folder.resolve("out.safetensors");
    Path input = folder.resolve("in.safetensors");
    assertUsage(run(input, output), "in.safetensors");
    Files.writeString(input, "nonsense");
    assertUsage(run(input, output), "in.safetensors");
    Safetensors.write(input, Map.of("x", Tensor.of(Shape.of(1), 1f)), Map.of());
    assertUsage(run(input, output), "lacks the tensor pixel_values; it has [x]");
    for (Shape shape :
        List.of(
            Shape.of(3, 32, 32),
            Shape.of(1, 1, 32, 32),
            Shape.of(0, 3, 32, 32),
            Shape.of(1, 3, 4, 4))) {
      Tensor pixels = Tensor.allocate(java.lang.foreign.Arena.ofAuto(), DType.F32, shape);
      Safetensors.write(input, Map.of("pixel_values", pixels), Map.of());
      assertUsage(run(input, output), "in.safetensors");
    }
    assertThat(output).doesNotExist();
    CommandLineRun bad =
        run(VIT_TINY.resolve("expected.safetensors"), folder.resolve("no/out.safetensors"));
    assertThat(bad.exitCode()).isEqualTo(ExitCode.OUTPUT);
  }

  @Test
  void preprocessWritesPixelsAndValuesUnderTheNamesGiven() throws Exception {
    Path image = TestImages.png(folder.resolve("a.png"), 5, 4, 51);
    Path bad = Files.writeString(folder.resolve("bad.png"), "bad");
    Path output = folder.resolve("out.safetensors");
    String given = folder + "/./a.png";
    CommandLineRun run =
        CommandLineRun.inside("preprocess", given, bad, "--model", VIT_TINY, "--output", output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("bad.png");
    RgbImage rgb = new Decoder().decode(image);
    try (Safetensors tensors = Safetensors.open(output)) {
      assertThat(tensors.tensors().keySet())
          .containsExactlyInAnyOrder(given + "/rgb", given + "/pixel_values");
      Tensor pixels = tensors.tensor(given + "/rgb");
      assertThat(pixels.dtype()).isEqualTo(DType.U8);
      assertThat(pixels.shape()).isEqualTo(Shape.of(4, 5, 3));
      assertThat(pixels.toLongs()).hasSize(rgb.pixels().length).containsOnly(51);
      Tensor values = tensors.tensor(given + "/pixel_values");
      assertThat(values.shape()).isEqualTo(Shape.of(1, 3, 32, 32));
      assertThat(values.toFloats()[0]).isCloseTo((51 / 255f - 0.5f) / 0.5f, within(1e-6f));
    }
    assertThat(CommandLineRun.inside("preprocess", bad, "-m", VIT_TINY, "-o", output).exitCode())
        .isEqualTo(ExitCode.NO_IMAGE);
  }

  @Test
  void withoutAModelItSaysHowToGiveOne() throws Exception {
    Path image = TestImages.png(folder.resolve("a.png"), 5, 4, 51);
    CommandLineRun run = CommandLineRun.inside("classify", image);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--model DIR");
  }

  @Test
  void theWarmUpForTheStartUpArchiveWorks() {
    CommandLineRun run = CommandLineRun.inside("warm-up");
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
  }

  private static CommandLineRun run(Path input, Path output) {
    return CommandLineRun.inside("models", "run", VIT_TINY, "-i", input, "-o", output);
  }

  private static void assertUsage(CommandLineRun run, String message) {
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("tessera: ").contains(message);
    assertThat(run.err().lines()).hasSize(1);
  }
}
