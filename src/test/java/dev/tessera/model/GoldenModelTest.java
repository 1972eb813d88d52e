package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every stored hidden state and output of the reference implementations, by the scalar engine. */
class GoldenModelTest {
  private static final float TOLERANCE = 1e-4f;
  static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final Pattern SIZED = Pattern.compile("(.+)_(\\d+x\\d+)");

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
    compare(CHECKPOINTS.resolve(name));
  }

  /** Models too large to be copied beside the tests. */
  @ParameterizedTest
  @ValueSource(strings = {"vit-p16-224", "dinov2", "timm-vit-avg"})
  void agreesWithTheSharedReference(String name) throws IOException {
    compare(shared(name));
  }

  /** A folder of the shared reference models; the test is skipped where they are absent. */
  static Path shared(String name) {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    // Tests run in the module; the folder is named from the repository's root, one above.
    Path folder = Path.of("..").resolve(configured).resolve("golden/open").resolve(name);
    assumeThat(folder).as("skipped: it is not in TESSERA_SHARED or ../shared").exists();
    return folder;
  }

  @Test
  void resultIsTheLastThingComputed() throws IOException {
    assertThat(results("vit-tiny")).containsExactly("logits");
    assertThat(results("deit-distilled")).containsExactly("logits");
    assertThat(results("dinov2-reg")).containsExactly("pooler_output");
    assertThat(results("timm-vit")).containsExactly("logits");
  }

  private static Set<String> results(String name) throws IOException {
    try (Model model = Models.load(CHECKPOINTS.resolve(name))) {
      return model.graph(1, 42, 42, Outputs.RESULT).outputs().keySet();
    }
  }

  private static void compare(Path folder) throws IOException {
    try (Engine engine = new ScalarEngine()) {
      compare(folder, engine);
    }
  }

  /** Every stored tensor of a folder of fixtures against what an engine computes. */
  static void compare(Path folder, Engine engine) throws IOException {
    try (Model model = Models.load(folder);
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Set<String> compared = new LinkedHashSet<>();
      for (String name : expected.tensors().keySet()) {
        Matcher sized = SIZED.matcher(name);
        String suffix = sized.matches() ? "_" + sized.group(2) : "";
        String base = sized.matches() ? sized.group(1) : name;
        if (!base.equals("pixel_values") && !base.equals("image_u8_hwc")) {
          continue;
        }
        Tensor pixels =
            base.equals("pixel_values") ? expected.tensor(name) : normalised(expected.tensor(name));
        Shape shape = pixels.shape();
        Map<String, Tensor> outputs =
            engine
                .compile(
                    model.graph(shape.extent(0), shape.extent(2), shape.extent(3), Outputs.STAGES),
                    model.parameters())
                .run(Map.of("pixel_values", pixels));
        compared.add(name);
        outputs.forEach((output, tensor) -> {
          Tensor whole = expected.tensors().get(output + suffix);
          if (whole != null) {
            compared.add(output + suffix);
            assertThat(tensor.shape()).isEqualTo(whole.shape());
            assertClose(output + suffix, tensor.toFloats(), whole.toFloats());
          }
          Tensor first = expected.tensors().get(output + "_cls" + suffix);
          if (first != null) {
            compared.add(output + "_cls" + suffix);
            assertClose(output + "_cls", firstTokens(tensor), first.toFloats());
          }
        });
      }
      assertThat(compared).containsExactlyInAnyOrderElementsOf(expected.tensors().keySet());
    }
  }

  private static void assertClose(String name, float[] actual, float[] expected) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("%s[%d]", name, i).isCloseTo(expected[i], within(TOLERANCE));
    }
  }

  /** Row 0 of each image of {@code [batch, tokens, hidden]}. */
  private static float[] firstTokens(Tensor tokens) {
    float[] all = tokens.toFloats();
    int batch = tokens.shape().extent(0);
    int hidden = tokens.shape().last();
    float[] first = new float[batch * hidden];
    for (int image = 0; image < batch; image++) {
      System.arraycopy(all, image * (all.length / batch), first, image * hidden, hidden);
    }
    return first;
  }

  /** {@code (image/255 − 0.5)/0.5}, from height, width, channels to channels, height, width. */
  private static Tensor normalised(Tensor image) {
    int height = image.shape().extent(1);
    int width = image.shape().extent(2);
    float[] bytes = image.toFloats();
    float[] pixels = new float[bytes.length];
    for (int i = 0; i < height * width; i++) {
      for (int channel = 0; channel < 3; channel++) {
        pixels[channel * height * width + i] = (bytes[i * 3 + channel] / 255 - 0.5f) / 0.5f;
      }
    }
    return Tensor.of(Shape.of(1, 3, height, width), pixels);
  }
}
