package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Json;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Prediction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {
  private static final Path IMAGES = Path.of("test/resources/images/files");
  private static final List<String> FILES =
      List.of("png_rgb.png", "jpeg_base_444.jpg", "jpeg_641x427.jpg", "bmp_24.bmp");

  @TempDir Path folder;

  /** Four images in two classes, named in another case than the model names them. */
  private Path data(String below) throws IOException {
    for (int i = 0; i < FILES.size(); i++) {
      Path target = folder.resolve(below).resolve(i < 2 ? "Airplane" : "CAT");
      Files.createDirectories(target);
      Files.copy(IMAGES.resolve(FILES.get(i)), target.resolve(FILES.get(i)));
    }
    return folder.resolve("data");
  }

  private Map<String, Object> eval(Path data, Object... more) throws IOException {
    Path output = folder.resolve("result.json");
    Object[] args = new Object[5 + more.length];
    Object[] first = {"eval", CommandLineRun.VIT_TINY, data, "-o", output};
    System.arraycopy(first, 0, args, 0, first.length);
    System.arraycopy(more, 0, args, first.length, more.length);
    CommandLineRun run = CommandLineRun.inside(args);
    assertThat(run.exitCode()).as(run.err()).isZero();
    return Json.readObject(output);
  }

  private static double number(Map<String, Object> result, String key) {
    return ((Number) result.get(key)).doubleValue();
  }

  @Test
  void measuresWhatClassifyAnswers() throws IOException {
    Map<String, Object> result = eval(data("data"), "--mistakes", 2, "--batch-size", 3);
    int right = 0;
    int among = 0;
    double loss = 0;
    try (ImageClassifier classifier = ImageClassifier.open(CommandLineRun.VIT_TINY)) {
      for (int i = 0; i < FILES.size(); i++) {
        String label = i < 2 ? "airplane" : "cat";
        List<Prediction> all = classifier.classify(IMAGES.resolve(FILES.get(i)), 10);
        right += all.getFirst().label().equals(label) ? 1 : 0;
        among += all.subList(0, 5).stream().anyMatch(p -> p.label().equals(label)) ? 1 : 0;
        loss -=
            Math.log(
                all.stream()
                    .filter(p -> p.label().equals(label))
                    .findFirst()
                    .orElseThrow()
                    .score());
      }
    }
    assertThat(number(result, "top1")).isEqualTo(right / 4.0);
    assertThat(number(result, "top5")).isEqualTo(among / 4.0);
    assertThat(number(result, "loss")).isCloseTo(loss / 4, within(1e-5));
    assertThat(number(result, "images")).isEqualTo(4);
    assertThat(number(result, "unreadable")).isZero();
    assertThat(result)
        .containsKeys("ece", "macro_f1", "weighted_recall", "classes", "confusion", "calibration")
        .containsEntry("split", "all images");
    assertThat((List<?>) result.get("mistakes")).hasSizeLessThanOrEqualTo(2);
  }

  @Test
  void whatCannotBeReadIsListedAndSkipped() throws IOException {
    Path data = data("data");
    Files.writeString(data.resolve("CAT/broken.jpg"), "not a picture");
    Path output = folder.resolve("table.txt");
    Path html = folder.resolve("report.html");
    CommandLineRun run =
        CommandLineRun.inside(
            "eval", CommandLineRun.VIT_TINY, data, "--output", output, "--html", html);
    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).contains("broken.jpg is not an image");
    assertThat(Files.readString(output))
        .contains("images       4, and 1 that cannot be read")
        .containsPattern("\nairplane +\\S+ +\\S+ +\\S+ +2 ")
        .contains("RIGHT / ANSWERED");
    assertThat(Files.readString(html))
        .contains("broken.jpg is not an image", "Images that could not be read")
        .contains("data:image/png;base64,", "Where it goes wrong", "How sure, and how right")
        .doesNotContain("http:", "https:", "<script");
    assertThat(folder).isDirectoryNotContaining("glob:**.partial");
  }

  @Test
  void aPartIsTaken() throws IOException {
    data("data/train");
    Path data = data("data/test");
    Files.delete(data.resolve("test/CAT/" + FILES.getLast()));
    assertThat(eval(data)).containsEntry("split", "test").containsEntry("images", 3L);
    assertThat(eval(data, "--split", "train"))
        .containsEntry("split", "train")
        .containsEntry("images", 4L);
    assertThat(eval(data, "--split", "all")).containsEntry("images", 7L);
    CommandLineRun none =
        CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, data, "--split", "validation");
    assertThat(none.exitCode()).isEqualTo(ExitCode.DATA);
    assertThat(none.err()).contains("has no validation part");
  }

  @Test
  void classesThatTheModelDoesNotKnowAreNamed() throws IOException {
    Path data = data("data");
    Files.move(data.resolve("CAT"), data.resolve("unicorn"));
    CommandLineRun run = CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, data);
    assertThat(run.exitCode()).isEqualTo(ExitCode.DATA);
    assertThat(run.err()).contains("unicorn").contains("airplane");
  }

  @Test
  void nothingThatCanBeReadIsAFailure() throws IOException {
    Path broken = Files.createDirectories(folder.resolve("data/cat")).resolve("broken.jpg");
    Files.writeString(broken, "not a picture");
    CommandLineRun run =
        CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, folder.resolve("data"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.NO_IMAGE);
    assertThat(run.err()).endsWith("tessera: none of the 1 images could be read\n");
  }

  @Test
  void whatCannotBeWrittenIsSaidFirst() throws IOException {
    Path data = data("data");
    Path missing = folder.resolve("none/report.html");
    CommandLineRun run =
        CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, data, "--html", missing);
    assertThat(run.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(run.err()).endsWith("report.html: its folder does not exist\n");
    CommandLineRun onFolder =
        CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, data, "-o", folder);
    assertThat(onFolder.err()).endsWith(" is a folder; give the name of a file\n");
  }

  @Test
  void optionsAreChecked() throws IOException {
    Path data = data("data");
    for (String[] wrong : new String[][] {{"--mistakes", "-1"}, {"--batch-size", "5000"}}) {
      CommandLineRun run =
          CommandLineRun.inside("eval", CommandLineRun.VIT_TINY, data, wrong[0], wrong[1]);
      assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains(wrong[0]);
    }
  }

  /** 84.87 % is what transformers measures. */
  @Test
  void fashionMnistIsMeasuredAsTransformersDoes() throws IOException {
    Path model = SignDigitsTest.shared("models/vit-fashion-mnist");
    Path data = Path.of("/usr/share/datasets/fashion-mnist");
    assumeThat(data).as("skipped: install Debian's dataset-fashion-mnist").exists();
    Map<String, Object> result = measured(model, data);
    assertThat(number(result, "images")).isEqualTo(10_000);
    assertThat(number(result, "top1")).isEqualTo(0.8487);
    assertThat(number(result, "top5")).isEqualTo(0.9973);
    assertThat(number(result, "macro_f1")).isCloseTo(0.8484938673716067, within(1e-12));
    assertThat(number(result, "ece")).isCloseTo(0.050224143949, within(1e-6));
  }

  /** 80.02 %: 1650 of 2062. */
  @Test
  void photographsAreMeasuredAsTransformersDoes() throws IOException {
    Map<String, Object> result =
        measured(
            SignDigitsTest.shared("models/vit-sign-digits"),
            SignDigitsTest.shared("datasets/sign-language-digits"));
    assertThat(number(result, "images")).isEqualTo(2062);
    assertThat(number(result, "top1")).isEqualTo(1650 / 2062.0);
  }

  private Map<String, Object> measured(Path model, Path data) throws IOException {
    Path output = folder.resolve("result.json");
    CommandLineRun run = CommandLineRun.inside("eval", model, data, "--output", output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    return Json.readObject(output);
  }
}
