package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engines;
import dev.tessera.image.Decoder;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Prediction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A ViT trained in PyTorch over photographs, from files to labels, against transformers. */
class SignDigitsTest {
  private static final int LABELS = 10;

  @TempDir Path folder;

  @Test
  void everyLogitAgreesWithTransformers() throws Exception {
    Path model = shared("models/vit-sign-digits");
    Path images = shared("datasets/sign-language-digits");
    List<String> names = fileNames(model);
    float[] expected = logits(model);
    List<ImageFile> files =
        names.stream().map(name -> new ImageFile(name, images.resolve(name))).toList();
    List<String> wrong = new ArrayList<>();
    int[] row = new int[1];
    try (ImageClassifier classifier = ImageClassifier.open(model, Engines.open("auto", 0))) {
      new Pipeline<>(
              files.iterator(),
              new Decoder(),
              classifier.preprocessor(),
              classifier::logits,
              () -> {},
              64,
              2)
          .run(outcome -> {
            float[] actual = outcome.values();
            assertThat(actual).as("%s", outcome.problem()).isNotNull();
            for (int i = 0; i < LABELS; i++) {
              if (Math.abs(actual[i] - expected[row[0] * LABELS + i]) > 1e-3) {
                wrong.add(outcome.file().name());
                break;
              }
            }
            row[0]++;
          });
    }
    assertThat(row[0]).isEqualTo(2062);
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyLineOfTheCommandAgreesWithTransformers() throws Exception {
    Path model = shared("models/vit-sign-digits");
    Path images = shared("datasets/sign-language-digits");
    Path output = folder.resolve("labels.jsonl");
    CommandLineRun run =
        CommandLineRun.inside(
            "classify", "--model", model, "--top-k", 1, "--output", output, images);
    assertThat(run.exitCode()).as(run.err()).isZero();
    Map<String, Prediction> expected = expected(model, images);
    assertThat(expected).hasSize(2062);
    int lines = 0;
    for (String line : Files.readAllLines(output)) {
      try (JsonParser json = new JsonFactory().createParser(line)) {
        String file = value(json, "file").getText();
        Prediction wanted = expected.get(file);
        assertThat(wanted).as(file).isNotNull();
        assertThat(value(json, "label").getText()).as(file).isEqualTo(wanted.label());
        assertThat(value(json, "score").getFloatValue())
            .as(file)
            .isCloseTo(wanted.score(), within(1e-3f));
      }
      lines++;
    }
    assertThat(lines).isEqualTo(2062);
  }

  private static JsonParser value(JsonParser json, String field) throws Exception {
    while (!(json.nextToken() == JsonToken.FIELD_NAME && json.currentName().equals(field))) {
      assertThat(json.currentToken()).as(field).isNotNull();
    }
    json.nextToken();
    return json;
  }

  private static Map<String, Prediction> expected(Path model, Path images) throws Exception {
    float[] logits = logits(model);
    List<String> names = fileNames(model);
    Map<String, Prediction> expected = new HashMap<>();
    for (int row = 0; row < names.size(); row++) {
      int best = 0;
      double sum = 0;
      for (int i = 0; i < LABELS; i++) {
        best = logits[row * LABELS + i] > logits[row * LABELS + best] ? i : best;
      }
      for (int i = 0; i < LABELS; i++) {
        sum += Math.exp(logits[row * LABELS + i] - logits[row * LABELS + best]);
      }
      expected.put(
          images.resolve(names.get(row)).toString(),
          new Prediction(best, Integer.toString(best), (float) (1 / sum)));
    }
    return expected;
  }

  private static float[] logits(Path model) throws Exception {
    try (Safetensors file = Safetensors.open(model.resolve("expected_all.safetensors"))) {
      return file.tensor("logits").toFloats();
    }
  }

  private static List<String> fileNames(Path model) throws Exception {
    List<String> names = new ArrayList<>();
    try (JsonParser json =
        new JsonFactory().createParser(model.resolve("expected_all.files.json").toFile())) {
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        if (token == JsonToken.VALUE_STRING) {
          names.add(json.getText());
        }
      }
    }
    return names;
  }

  /** A folder shared beside the checkout; the test is skipped where it is absent. */
  static Path shared(String name) {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    Path path = Path.of("..").resolve(configured).resolve(name);
    assumeThat(path).as("skipped: it is not in TESSERA_SHARED or ../shared").exists();
    return path;
  }
}
