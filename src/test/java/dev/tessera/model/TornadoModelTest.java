package dev.tessera.model;

import dev.tessera.engine.Engine;
import dev.tessera.engine.tornado.TornadoTestEngines;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
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
        "timm-vit-reg4-nocls"
      })
  void agreesWithTheReference(String name) throws IOException {
    for (Map.Entry<String, Engine> device : TornadoTestEngines.all().entrySet()) {
      try (Engine engine = device.getValue()) {
        GoldenModelTest.compare(GoldenModelTest.CHECKPOINTS.resolve(name), engine);
      }
    }
  }
}
