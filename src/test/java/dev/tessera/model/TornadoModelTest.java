package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Precision;
import dev.tessera.engine.tornado.TornadoTestEngines;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference models' hidden states and outputs, by task graphs on every test device. */
class TornadoModelTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "vit-tiny",
        "deit-distilled",
        "dinov2-cls",
        "dinov2-reg",
        "dinov2-swiglu",
        "timm-vit",
        "timm-vit-reg4-nocls",
        "timm-vit-map"
      })
  void agreesWithTheReference(String name) throws IOException {
    for (Map.Entry<String, Engine> device : TornadoTestEngines.all().entrySet()) {
      try (Engine engine = device.getValue()) {
        GoldenModelTest.compare(GoldenModelTest.CHECKPOINTS.resolve(name), engine);
      }
    }
  }

  /** Logits in the same direction, and the same class first. */
  @ParameterizedTest
  @CsvSource({"TF32, vit-tiny", "FP16, vit-tiny", "FP16, timm-vit", "FP16, deit-distilled"})
  void lessPrecisionGivesTheSameClasses(Precision precision, String name) throws Exception {
    assumeThat(Engines.tornadoDevices()).anyMatch(device -> device.name().equals("cuda:0"));
    Path folder = GoldenModelTest.CHECKPOINTS.resolve(name);
    try (Engine engine = Engines.open("cuda:0", 0, precision);
        Model model = Models.load(folder);
        Safetensors reference = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Tensor pixels = reference.tensor("pixel_values");
      Graph graph =
          model.graph(
              pixels.shape().extent(0),
              pixels.shape().extent(2),
              pixels.shape().extent(3),
              Outputs.RESULT);
      Map<String, Tensor> inputs = Map.of("pixel_values", pixels);
      Tensor logits = engine.compile(graph, model.parameters()).run(inputs).get("logits");
      float[] actual = logits.toFloats();
      float[] expected = reference.tensor("logits").toFloats();
      int classes = logits.shape().last();
      for (int from = 0; from < actual.length; from += classes) {
        float[] a = Arrays.copyOfRange(actual, from, from + classes);
        float[] e = Arrays.copyOfRange(expected, from, from + classes);
        assertThat(dot(a, e) / Math.sqrt(dot(a, a) * dot(e, e))).isBetween(0.9999, 1 + 1e-9);
        assertThat(first(a)).isEqualTo(first(e));
      }
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * (double) b[i];
    }
    return sum;
  }

  private static int first(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
