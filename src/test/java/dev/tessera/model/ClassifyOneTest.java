package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.checkpoint.Safetensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Runs {@code examples/ClassifyOne.java} with the command that stands at its top. */
class ClassifyOneTest {
  private static final Path EXAMPLE = Path.of("examples/ClassifyOne.java");
  private static final String IMAGE = "jpeg_base_444.jpg";
  private static final Path RESOURCES = Path.of("test/resources").toAbsolutePath();

  @Test
  void saysWhatTheReferenceSays() throws IOException, InterruptedException {
    Path root = Path.of("").toAbsolutePath().getParent();
    Path output = Files.createTempFile("classify-one", ".txt");
    Path errors = Files.createTempFile("classify-one", ".err");
    try {
      Process process =
          new ProcessBuilder(command(root.resolve(EXAMPLE)))
              .directory(root.toFile())
              .redirectOutput(output.toFile())
              .redirectError(errors.toFile())
              .start();
      boolean ended = process.waitFor(2, TimeUnit.MINUTES);
      process.destroyForcibly();
      assertThat(ended).isTrue();
      assertThat(process.exitValue()).as("%s", Files.readString(errors)).isZero();
      List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
      assertThat(lines).hasSize(5);
      assertThat(lines.getFirst()).isEqualTo(expected());
    } finally {
      Files.delete(output);
      Files.delete(errors);
    }
  }

  @Test
  void isShort() throws IOException {
    assertThat(Files.readAllLines(Path.of("..").resolve(EXAMPLE))).hasSizeLessThan(30);
  }

  /** The comment's command, with the test's own JDK, class path, model and image. */
  private static List<String> command(Path example) throws IOException {
    List<String> command = new ArrayList<>();
    for (String line : Files.readAllLines(example)) {
      if (line.startsWith("//   ")) {
        command.addAll(List.of(line.substring(2).strip().split(" +", -1)));
      }
    }
    command.remove("\\"); // where the shell's line goes on
    replace(command, "java", Path.of(System.getProperty("java.home"), "bin", "java").toString());
    replace(command, "src/target/tessera.jar", System.getProperty("java.class.path"));
    replace(command, "MODEL", RESOURCES.resolve("checkpoints/vit-tiny").toString());
    replace(command, "IMAGE", RESOURCES.resolve("images/files").resolve(IMAGE).toString());
    return command;
  }

  private static void replace(List<String> command, String placeholder, String actual) {
    assertThat(command).containsOnlyOnce(placeholder);
    command.set(command.indexOf(placeholder), actual);
  }

  /** The best label and its softmax, from the stored logits of {@code transformers}. */
  private static String expected() throws IOException {
    float[] logits;
    List<String> labels;
    try (Safetensors file = Safetensors.open(RESOURCES.resolve("images/e2e.safetensors"));
        Model model = Models.load(RESOURCES.resolve("checkpoints/vit-tiny"))) {
      logits = file.tensors().get("vit-tiny/" + IMAGE + "/logits").toFloats();
      labels = model.labels();
    }
    int best = 0;
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
      sum += Math.exp(logits[i]);
    }
    double score = Math.exp(logits[best]) / sum;
    return String.format(
        Locale.getDefault(Locale.Category.FORMAT), "%5.1f%%  %s", 100 * score, labels.get(best));
  }
}
