package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every stored stage of the reference's models of texts, and of texts and images. */
class GoldenTextModelTest {
  private static final float TOLERANCE = 1e-4f;
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "cpu", "tornado"})
  void bert(String device) throws Exception {
    Path folder = CHECKPOINTS.resolve("bert");
    Set<String> compared = compare(folder, device, Map.of(), List.of(), "");
    compared.addAll(compare(folder, device, Map.of(), List.of("token_type_ids"), "_no_tt"));
    assertAll(folder, compared);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "cpu"})
  void bertForMaskedWords(String device) throws Exception {
    Path folder = GoldenModelTest.shared("bert-mlm");
    assertAll(folder, compare(folder, device, Map.of(), List.of(), ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"clip", "clip-legacy-eos"})
  void clip(String name) throws Exception {
    Path folder = GoldenModelTest.shared(name);
    Set<String> compared = compare(folder, "scalar", Map.of(), List.of(), "");
    compared.addAll(compare(folder, "cpu", Map.of(), List.of("attention_mask"), "_nomask"));
    assertAll(folder, compared);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "cpu", "tornado"})
  void siglip(String device) throws Exception {
    Path folder = CHECKPOINTS.resolve("siglip");
    Set<String> compared = compare(folder, device, Map.of(), List.of(), "");
    compared.addAll(compare(folder, device, Map.of(), List.of("attention_mask"), "_nomask"));
    assertAll(folder, compared);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "cpu", "tornado"})
  void openClip(String device) throws Exception {
    Path folder = CHECKPOINTS.resolve("open-clip");
    Set<String> compared = compare(folder, device, Map.of("text_ids", "input_ids"), List.of(), "");
    assertAll(folder, compared);
  }

  /** Positions that are given as they count from 0 anyway change nothing. */
  @Test
  void positionsMayBeGiven() throws Exception {
    Path folder = CHECKPOINTS.resolve("bert");
    try (Engine engine = Engines.open("scalar", 1);
        Model model = Models.load(folder);
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Map<String, Tensor> inputs = new HashMap<>(expected.tensors());
      Tensor plain = model.stages(engine, inputs).get("last_hidden_state");
      Shape shape = expected.tensor("input_ids").shape();
      long[] positions = new long[(int) shape.elements()];
      for (int i = 0; i < positions.length; i++) {
        positions[i] = i % shape.last();
      }
      inputs.put("position_ids", Tensor.of(shape, positions));
      assertThat(model.stages(engine, inputs).get("last_hidden_state").toFloats())
          .containsExactly(plain.toFloats(), within(1e-5f));
      positions[0] = 3;
      inputs.put("position_ids", Tensor.of(shape, positions));
      assertThat(model.stages(engine, inputs).get("last_hidden_state").toFloats()[0])
          .isNotCloseTo(plain.toFloats()[0], within(1e-3f));
    }
  }

  /** What is asked for alone is computed with less. */
  @Test
  void resultIsTheLastStage() throws Exception {
    Path folder = CHECKPOINTS.resolve("bert");
    try (Engine engine = Engines.open("cpu", 2);
        Model model = Models.load(folder);
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Map<String, Shape> shapes = new HashMap<>();
      for (String name : List.of("input_ids", "attention_mask", "token_type_ids")) {
        shapes.put(name, expected.tensor(name).shape());
      }
      Map<String, Tensor> result =
          engine
              .compile(model.graph(shapes, Outputs.RESULT), model.parameters())
              .run(expected.tensors());
      assertThat(result).containsOnlyKeys("pooler_output");
      assertClose("pooler_output", result.get("pooler_output"), expected.tensor("pooler_output"));
    }
  }

  /** The towers of a model alone give what they give together. */
  @Test
  void towersWorkAlone() throws Exception {
    Path folder = CHECKPOINTS.resolve("siglip");
    try (Engine engine = Engines.open("scalar", 1);
        Model model = Models.load(folder);
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Tensor pixels = expected.tensor("pixel_values");
      Map<String, Tensor> image =
          engine
              .compile(model.graph(2, 32, 32, Outputs.RESULT), model.parameters())
              .run(Map.of("pixel_values", pixels));
      assertThat(image).containsOnlyKeys("image_embeds");
      assertClose("image_embeds", image.get("image_embeds"), expected.tensor("image_embeds"));
      Map<String, Tensor> text =
          model.stages(engine, Map.of("input_ids", expected.tensor("input_ids")));
      assertThat(text).doesNotContainKey("logits_per_image");
      assertClose("text_embeds", text.get("text_embeds"), expected.tensor("text_embeds_nomask"));
    }
  }

  /**
   * Runs the model on the inputs in its folder and compares whatever is stored, under a name with
   * {@code suffix}.
   *
   * @param renamed inputs that the folder has under another name
   * @param without inputs that are left out
   */
  private static Set<String> compare(
      Path folder, String device, Map<String, String> renamed, List<String> without, String suffix)
      throws Exception {
    Set<String> compared = new LinkedHashSet<>();
    try (Engine engine = Engines.open(device, 2);
        Model model = Models.load(folder);
        Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Map<String, Tensor> inputs = new HashMap<>();
      expected
          .tensors()
          .forEach((name, tensor) -> {
            String input = renamed.getOrDefault(name, name);
            if (model.inputNames().contains(input)) {
              compared.add(name);
              if (!without.contains(input)) {
                inputs.put(input, tensor);
              }
            }
          });
      Map<String, Tensor> stages = model.stages(engine, inputs);
      for (Map.Entry<String, Tensor> wanted : expected.tensors().entrySet()) {
        String name = wanted.getKey();
        Tensor actual =
            name.endsWith(suffix)
                ? stages.get(name.substring(0, name.length() - suffix.length()))
                : null;
        if (actual != null) {
          assertClose(name, actual, wanted.getValue());
          compared.add(name);
        }
      }
    }
    return compared;
  }

  private static void assertClose(String name, Tensor actual, Tensor expected) {
    assertThat(actual.shape()).as(name).isEqualTo(expected.shape());
    float[] left = actual.toFloats();
    float[] right = expected.toFloats();
    for (int i = 0; i < right.length; i++) {
      float tolerance = TOLERANCE * (1 + Math.abs(right[i]));
      assertThat(left[i]).as("%s[%d]", name, i).isCloseTo(right[i], within(tolerance));
    }
  }

  private static void assertAll(Path folder, Set<String> compared) throws IOException {
    try (Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      assertThat(compared).containsExactlyInAnyOrderElementsOf(expected.tensors().keySet());
    }
  }
}
