package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.image.Decoder;
import dev.tessera.image.Preprocessor;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.TextEmbedder;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that read texts: embed --text, zero-shot, and models info of such models. */
class TextCommandsTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");

  @TempDir Path folder;

  /** A copy of a random model with a tokenizer that fits its vocabulary. */
  private Path bert() throws IOException {
    Path model = copy("bert", "config.json", "model.safetensors");
    StringBuilder words = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    for (int i = 5; i < 120; i++) {
      words.append("w").append(i).append('\n');
    }
    Files.writeString(model.resolve("vocab.txt"), words);
    return model;
  }

  private Path openClip() throws IOException {
    Path model = copy("open-clip", "open_clip_config.json", "open_clip_model.safetensors");
    Map<String, Object> vocabulary = new LinkedHashMap<>();
    for (char letter = 'a'; letter <= 'z'; letter++) {
      vocabulary.put(String.valueOf(letter), (long) vocabulary.size());
      vocabulary.put(letter + "</w>", (long) vocabulary.size());
    }
    vocabulary.put(".</w>", (long) vocabulary.size());
    vocabulary.put("<|startoftext|>", 98L);
    vocabulary.put("<|endoftext|>", 99L);
    Files.writeString(model.resolve("vocab.json"), Json.write(vocabulary));
    Files.writeString(model.resolve("merges.txt"), "#version: 0.2\n");
    return model;
  }

  private Path copy(String name, String... files) throws IOException {
    Path model = Files.createDirectories(folder.resolve(name));
    for (String file : files) {
      Files.copy(CHECKPOINTS.resolve(name).resolve(file), model.resolve(file));
    }
    return model;
  }

  @Test
  void embedsALineAtATime() throws IOException {
    Path model = bert();
    Path texts = Files.writeString(folder.resolve("texts.txt"), "w7 w8\n\nw9, \"w10\"\r\nw11 w7");
    Path output = folder.resolve("out.npy");
    CommandLineRun run = CommandLineRun.inside("embed", "-m", model, "--text", texts, "-o", output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    ByteBuffer npy = ByteBuffer.wrap(Files.readAllBytes(output)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(npy.capacity()).isEqualTo(128 + 4 * 48 * 4);
    npy.position(128);
    try (TextEmbedder embedder = TextEmbedder.open(model, new ScalarEngine())) {
      for (String text : List.of("w7 w8", "", "w9, \"w10\"", "w11 w7")) {
        for (float expected : embedder.embed(text)) {
          assertThat(npy.getFloat()).isCloseTo(expected, within(2e-5f));
        }
      }
    }
    assertThat(Json.readList(folder.resolve("out.ids.json")))
        .isEqualTo(List.of("w7 w8", "", "w9, \"w10\"", "w11 w7"));
  }

  @Test
  void goesOnWhereItWasInterrupted() throws IOException {
    Path model = bert();
    Path texts = Files.writeString(folder.resolve("texts.txt"), "w7 w8\nw9\nw10\n");
    Path whole = folder.resolve("whole.jsonl");
    assertThat(CommandLineRun.inside("embed", "-m", model, "--text", texts, "-o", whole).exitCode())
        .isZero();
    String all = Files.readString(whole);
    Path output = folder.resolve("out.jsonl");
    Path partial = folder.resolve("out.jsonl.partial");
    Files.writeString(
        partial, all.substring(0, all.lines().findFirst().orElseThrow().length() + 9));
    CommandLineRun run =
        CommandLineRun.inside("embed", "-m", model, "--text", texts, "-o", output, "--resume");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("resuming after 1 texts");
    assertThat(output).hasContent(all.stripTrailing());
    Files.move(output, partial);
    Files.writeString(texts, "w7\nw9\n");
    run = CommandLineRun.inside("embed", "-m", model, "--text", texts, "-o", output, "--resume");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("its result 1 is for another line");
  }

  @Test
  void saysWhatIsWrongWithTexts() throws IOException {
    Path model = bert();
    CommandLineRun run = CommandLineRun.inside("embed", "-m", model, "--text", "nowhere.txt");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("nowhere.txt does not exist");
    Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {'a', '\n', (byte) 0xe9});
    run =
        CommandLineRun.inside("embed", "-m", model, "--text", latin, "-o", folder.resolve("x.npy"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("latin.txt: line 2 is not UTF-8");
    run = CommandLineRun.inside("embed", "-m", CommandLineRun.VIT_TINY, "--text", latin);
    assertThat(run.exitCode()).isEqualTo(ExitCode.CHECKPOINT);
    assertThat(run.err()).contains("which reads no texts");
    run = CommandLineRun.inside("embed", "-m", model, "--text", latin, "--pool", "mean");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--pool is for images");
  }

  @Test
  void labelsImagesWithWords() throws IOException {
    Path model = openClip();
    Path image = folder.resolve("image.png");
    TestImages.png(image, 40, 33, 90);
    Path output = folder.resolve("labels.jsonl");
    Path labels = Files.writeString(folder.resolve("labels.txt"), "cat\n\nred shoe\nDog\n");
    CommandLineRun run =
        CommandLineRun.inside(
            "zero-shot",
            "-m",
            model,
            "--labels",
            "@" + labels,
            "--template",
            "a {}.",
            "--template",
            "the {}",
            image,
            "-o",
            output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    Map<String, ?> line =
        Objects.requireNonNull(Json.asObject(Json.parse(Files.readString(output).strip())));
    List<?> predictions = (List<?>) Objects.requireNonNull(line.get("predictions"));
    Map<String, Double> scores = new LinkedHashMap<>();
    for (Object prediction : predictions) {
      Map<String, ?> values = Objects.requireNonNull(Json.asObject(prediction));
      scores.put((String) values.get("label"), ((Number) values.get("score")).doubleValue());
    }
    assertThat(scores).containsOnlyKeys("cat", "red shoe", "Dog");
    assertThat(scores.values().stream().mapToDouble(score -> score).sum())
        .isCloseTo(1, within(1e-4));
    double[] expected = expected(model, image, List.of("cat", "red shoe", "Dog"));
    assertThat(scores.get("cat")).isCloseTo(expected[0], within(1e-4));
    assertThat(scores.get("red shoe")).isCloseTo(expected[1], within(1e-4));
    assertThat(scores.get("Dog")).isCloseTo(expected[2], within(1e-4));
  }

  /** By hand: the mean of two unit vectors for each label, scaled cosines, a softmax. */
  private static double[] expected(Path directory, Path image, List<String> labels)
      throws IOException {
    try (Model model = Models.load(directory);
        ScalarEngine engine = new ScalarEngine();
        TextEmbedder texts = new TextEmbedder(model, engine)) {
      Preprocessor preprocessor = ImageClassifier.preprocessor(model);
      float[] pixels = new float[preprocessor.size()];
      preprocessor.apply(new Decoder().decode(image), pixels, 0);
      Tensor embedded =
          model
              .stages(engine, Map.of("pixel_values", Tensor.of(Shape.of(1, 3, 32, 32), pixels)))
              .get("image_embeds");
      float[] place = embedded.toFloats();
      double scale =
          Math.exp(
              Objects.requireNonNull(model.files().tensors().get("logit_scale")).toFloats()[0]);
      double[] scores = new double[labels.size()];
      double sum = 0;
      for (int i = 0; i < scores.length; i++) {
        float[] a = texts.embed("a " + labels.get(i) + ".");
        float[] b = texts.embed("the " + labels.get(i));
        double dot = 0;
        double length = 0;
        for (int d = 0; d < a.length; d++) {
          dot += place[d] * (a[d] + b[d]);
          length += (a[d] + b[d]) * (a[d] + b[d]);
        }
        scores[i] = Math.exp(scale * dot / Math.sqrt(length));
        sum += scores[i];
      }
      for (int i = 0; i < scores.length; i++) {
        scores[i] /= sum;
      }
      return scores;
    }
  }

  @Test
  void saysWhatIsWrongWithLabels() throws IOException {
    Path image = folder.resolve("image.png");
    TestImages.png(image, 40, 33, 90);
    for (String[] wrong :
        new String[][] {
          {"a,,b", "{}", "has an empty label"},
          {"a,b,a", "{}", "has the label a twice"},
          {"a,b", "a photo", "needs {} where the label stands"},
          {"@nowhere.txt", "{}", "nowhere.txt cannot be read"}
        }) {
      CommandLineRun run =
          CommandLineRun.inside(
              "zero-shot", "-m", "x", "--labels", wrong[0], "--template", wrong[1], image);
      assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains(wrong[2]);
    }
    CommandLineRun run =
        CommandLineRun.inside("zero-shot", "-m", CommandLineRun.VIT_TINY, "--labels", "a,b", image);
    assertThat(run.exitCode()).isEqualTo(ExitCode.CHECKPOINT);
    assertThat(run.err()).contains("does not read both images and texts");
  }

  @Test
  void infoTellsOfTexts() throws IOException {
    CommandLineRun run = CommandLineRun.inside("models", "info", openClip());
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("architecture   open_clip/CLIP")
        .contains("images         32 × 32 pixels")
        .contains("texts          up to 16 tokens of 100")
        .contains("tokenizer      100 tokens")
        .contains("shared space   32 numbers");
    run = CommandLineRun.inside("models", "info", bert());
    assertThat(run.out())
        .contains("architecture   BertModel")
        .contains("texts          up to 40 tokens of 120")
        .doesNotContain("pixels");
  }

  @Test
  void runsModelsOfTextsOnTensors() throws IOException {
    Path output = folder.resolve("out.safetensors");
    Path model = CHECKPOINTS.resolve("open-clip");
    CommandLineRun run =
        CommandLineRun.inside(
            "models", "run", model, "-i", model.resolve("expected.safetensors"), "-o", output);
    assertThat(run.exitCode()).as(run.err()).isZero();
    try (Safetensors file = Safetensors.open(output)) {
      assertThat(file.tensors())
          .containsKeys(
              "image_features", "text_features", "logits_per_image", "vision_layer_1_out");
    }
    Path other = CHECKPOINTS.resolve("vit-tiny").resolve("expected.safetensors");
    run =
        CommandLineRun.inside(
            "models", "run", CHECKPOINTS.resolve("bert"), "-i", other, "-o", output);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("lacks the tensor input_ids");
  }
}
