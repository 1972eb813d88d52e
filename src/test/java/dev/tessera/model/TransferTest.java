package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models made ready to learn something else compute the same features as before. */
class TransferTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final List<String> PETS = List.of("cat", "dog", "parrot");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "vit-tiny, 48, ViTForImageClassification, 4×4, 6×6",
    "deit-distilled, 24, DeiTForImageClassificationWithTeacher, 4×4, 3×3",
    "dinov2-cls, 70, Dinov2ForImageClassification, 3×3, 5×5",
    "dinov2-reg, 56, Dinov2WithRegistersForImageClassification, 3×3, 4×4",
    "timm-vit, 48, ViTForImageClassification, 4×4, 6×6",
    "timm-vit-reg4-nocls, 48, timm/vit_tiny_patch16_224, 4×4, 6×6",
    "timm-vit-map, 48, timm/vit_base_patch16_siglip_224, 4×4, 6×6"
  })
  void anotherSizeAndOtherLabelsKeepTheFeatures(
      String name, int size, String architecture, String before, String after) throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve(name))) {
      Transfer transfer = Transfer.of(model, folder, PETS, size, 1);
      assertThat(transfer.changes()).hasSize(2);
      assertThat(transfer.changes().getFirst()).startsWith("a new classifier of 3 labels");
      assertThat(transfer.changes().getLast())
          .isEqualTo(
              "position embeddings resized from %s to %s patches for images of %d×%d pixels"
                  .formatted(before, after, size, size));
      transfer.files().write(folder);
      try (Model changed = Models.load(folder)) {
        assertThat(changed.architecture()).isEqualTo(architecture);
        assertThat(changed.labels()).isEqualTo(PETS);
        assertThat(List.of(changed.height(), changed.width())).containsOnly(size);
        assertThat(ImageClassifier.preprocessor(changed).height()).isEqualTo(size);
        assertThat(run(changed, size, "logits")).hasSize(2 * 3);
        assertThat(run(changed, size, "last_hidden_state"))
            .containsExactly(run(model, size, "last_hidden_state"), within(1e-6f));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vit-tiny",
        "deit-distilled",
        "dinov2-swiglu",
        "timm-vit",
        "timm-vit-reg4-nocls",
        "timm-vit-map"
      })
  void theSameLabelsKeepTheHead(String name) throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve(name))) {
      Transfer transfer = Transfer.of(model, folder, model.labels(), 0, 1);
      assertThat(transfer.changes()).isEmpty();
      transfer.files().write(folder);
      try (Model same = Models.load(folder)) {
        assertThat(same.labels()).isEqualTo(model.labels());
        assertThat(run(same, model.height(), "logits"))
            .containsExactly(run(model, model.height(), "logits"));
      }
    }
  }

  @Test
  void theSameLabelsInAnotherOrderMoveTheHeadsRows() throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve("vit-tiny"))) {
      List<String> labels = new ArrayList<>(model.labels());
      Collections.reverse(labels);
      Transfer transfer = Transfer.of(model, folder, labels, 0, 1);
      assertThat(transfer.changes())
          .containsExactly("the classifier's labels are the same in another order");
      transfer.files().write(folder);
      try (Model reversed = Models.load(folder)) {
        float[] before = run(model, 32, "logits");
        float[] after = run(reversed, 32, "logits");
        for (int i = 0; i < 10; i++) {
          assertThat(after[i]).isEqualTo(before[9 - i]);
        }
      }
    }
  }

  @Test
  void theCheckpointsOwnPreprocessingIsScaled() throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve("dinov2-cls"))) {
      String before = ImageClassifier.preprocessor(model).describe();
      Transfer.of(model, folder, PETS, 84, 1).files().write(folder);
      try (Model changed = Models.load(folder)) {
        assertThat(before).contains("centre crop 42x42");
        assertThat(ImageClassifier.preprocessor(changed).describe())
            .isEqualTo(before.replace("edge to 48", "edge to 96").replace("42x42", "84x84"));
      }
    }
  }

  @Test
  void parametersAreReplacedUnderTheNamesOfTheFile() throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve("timm-vit"))) {
      String key = "vit.encoder.layer.1.attention.attention.key.weight";
      Tensor ones = Tensor.of(Shape.of(48, 48), ones(48 * 48));
      HfDirectory changed = model.with(Map.of(key, ones));
      assertThat(changed.tensors().keySet()).isEqualTo(model.files().tensors().keySet());
      changed.write(folder);
      try (Model reloaded = Models.load(folder)) {
        for (String name : model.parameters().keySet()) {
          assertThat(reloaded.parameters().get(name).toFloats())
              .as(name)
              .isEqualTo(
                  name.equals(key) ? ones(48 * 48) : model.parameters().get(name).toFloats());
        }
      }
    }
  }

  @Test
  void anImageMustHoldAPatch() throws Exception {
    try (Model model = Models.load(CHECKPOINTS.resolve("vit-tiny"))) {
      assertThatThrownBy(() -> Transfer.of(model, folder, PETS, 4, 1))
          .hasMessageEndingWith(
              "has patches of 8×8 pixels, which an image size of 4 cannot hold; give a larger one");
    }
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static float[] run(Model model, int size, String output) {
    Random random = new Random(3);
    float[] values = new float[2 * 3 * size * size];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    try (ScalarEngine engine = new ScalarEngine()) {
      return engine
          .compile(model.graph(2, size, size, Outputs.STAGES), model.parameters())
          .run(Map.of("pixel_values", Tensor.of(Shape.of(2, 3, size, size), values)))
          .get(output)
          .toFloats();
    }
  }
}
