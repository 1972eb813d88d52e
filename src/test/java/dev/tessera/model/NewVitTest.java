package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewVitTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsAModel() throws Exception {
    List<String> labels = List.of("T-shirt/top", "träger", "third");
    new NewVit(28, 7, 1, 24, 2, 3, 1.5).create(folder, labels, 5).write(folder);
    try (Model model = Models.load(folder)) {
      assertThat(model.architecture()).isEqualTo("ViTForImageClassification");
      assertThat(model.labels()).isEqualTo(labels);
      assertThat(List.of(model.channels(), model.height(), model.hidden(), model.layers()))
          .containsExactly(1, 28, 24, 2);
      assertThat(model.unused()).isEmpty();
      assertThat(ImageClassifier.preprocessor(model).describe()).contains("gray", "28x28");
      Tensor pixels = Tensor.of(Shape.of(1, 1, 28, 28), new float[28 * 28]);
      try (ScalarEngine engine = new ScalarEngine()) {
        Tensor logits =
            engine
                .compile(model.graph(1, 28, 28, Outputs.RESULT), model.parameters())
                .run(Map.of("pixel_values", pixels))
                .get("logits");
        assertThat(logits.toFloats()).hasSize(3).doesNotContain(0f);
      }
    }
  }

  @Test
  void weightsAreNormalAndTheRestIsNeutral() {
    Map<String, Tensor> weights =
        NewVit.named().get("vit-micro").create(folder, List.of("a", "b"), 1).tensors();
    for (Map.Entry<String, Tensor> entry : weights.entrySet()) {
      String name = entry.getKey();
      float[] values = entry.getValue().toFloats();
      if (name.endsWith("bias")) {
        assertThat(values).as(name).containsOnly(0f);
      } else if (name.contains("layernorm")) {
        assertThat(values).as(name).containsOnly(1f);
      } else {
        assertNormal(name, values, deviation(name, entry.getValue().shape()));
      }
    }
  }

  private static double deviation(String name, Shape shape) {
    boolean within = name.contains("layer") || name.contains("patch_embeddings");
    return within ? Math.sqrt(shape.extent(0) / (double) shape.elements()) : 0.02;
  }

  private static void assertNormal(String name, float[] values, double deviation) {
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
    }
    // six deviations of the mean and of the standard deviation of that many normal numbers
    double count = values.length;
    assertThat(sum / count).as(name).isCloseTo(0, within(6 * deviation / Math.sqrt(count)));
    assertThat(Math.sqrt(squares / count))
        .as(name)
        .isCloseTo(deviation, within(6 * deviation / Math.sqrt(2 * count)));
  }

  @Test
  void theSeedDecides() {
    NewVit sizes = new NewVit(8, 4, 3, 8, 1, 2, 2);
    List<String> labels = List.of("a", "b");
    String name = "vit.encoder.layer.0.output.dense.weight";
    float[] one = sizes.create(folder, labels, 1).tensors().get(name).toFloats();
    assertThat(sizes.create(folder, labels, 1).tensors().get(name).toFloats()).isEqualTo(one);
    assertThat(sizes.create(folder, labels, 2).tensors().get(name).toFloats()).isNotEqualTo(one);
    assertThat(one[0]).isEqualTo(EXPECTED);
  }

  /** Noted once: weights of a seed must not change from machine to machine or year to year. */
  private static final float EXPECTED = 0.05508824f;

  @Test
  void sizesThatMakeNoModelAreRefused() {
    assertThatThrownBy(() -> new NewVit(28, 16, 1, 64, 4, 4, 4))
        .hasMessage("an image of 28 pixels a side cannot be cut into patches of 16");
    assertThatThrownBy(() -> new NewVit(28, 4, 1, 65, 4, 4, 4))
        .hasMessage("a hidden size of 65 cannot be shared by 4 heads");
    assertThatThrownBy(() -> new NewVit(28, 4, 2, 64, 4, 4, 4)).hasMessageContaining("channels");
    assertThatThrownBy(() -> new NewVit(2, 4, 1, 64, 4, 4, 4)).hasMessageContaining("patch of 4");
    assertThatThrownBy(() -> new NewVit(28, 4, 1, 64, 0, 4, 4)).hasMessageContaining("layers");
    assertThatThrownBy(() -> new NewVit(28, 4, 1, 64, 4, 4, Double.NaN))
        .hasMessageContaining("MLP");
  }
}
