package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against the attention that transformers and timm give; see resources/attention. */
class AttentionMapsTest {
  private static final Path RESOURCES = Path.of("test/resources");
  private static final float TOLERANCE = 1e-5f;

  /**
   * @param leading tokens before the patches
   * @param read tokens that the answer is read from: the first ones, or 0 for the patches
   */
  @ParameterizedTest
  @CsvSource({
    "vit-tiny, 1, 1",
    "deit-distilled, 2, 2",
    "dinov2-cls, 1, 1",
    "dinov2-reg, 5, 1",
    "timm-vit-reg4-nocls, 4, 0"
  })
  void agreesWithTheReference(String name, int leading, int read) throws Exception {
    try (Safetensors expected =
            Safetensors.open(RESOURCES.resolve("attention/expected.safetensors"));
        Model model = Models.load(RESOURCES.resolve("checkpoints").resolve(name));
        Engine engine = Engines.open("auto", 1)) {
      Tensor last = expected.tensor(name + "/last_attention");
      float[] attention = last.toFloats();
      float[] rollout = expected.tensor(name + "/rollout").toFloats();
      int heads = last.shape().extent(1);
      int tokens = last.shape().extent(2);
      for (int image = 0; image < 2; image++) {
        AttentionMaps maps = AttentionMaps.of(model, engine, pixels(name, image), -1);
        assertThat(maps.rows() * maps.columns()).isEqualTo(tokens - leading);
        assertThat(maps.layer()).isEqualTo(model.layers() - 1);
        assertThat(maps.heads()).hasNumberOfRows(heads);
        float[] mean = new float[tokens - leading];
        for (int head = 0; head < heads; head++) {
          float[] wanted =
              read(attention, (image * heads + head) * tokens * tokens, tokens, leading, read);
          assertThat(maps.heads()[head]).containsExactly(wanted, within(TOLERANCE));
          for (int i = 0; i < mean.length; i++) {
            mean[i] += wanted[i] / heads;
          }
        }
        assertThat(maps.meanOfHeads()).containsExactly(mean, within(TOLERANCE));
        assertThat(maps.rollout())
            .containsExactly(
                read(rollout, image * tokens * tokens, tokens, leading, read), within(TOLERANCE));
      }
    }
  }

  /** The mean of the rows that the answer is read from, without the columns of leading tokens. */
  private static float[] read(float[] matrix, int offset, int tokens, int leading, int read) {
    float[] row = new float[tokens - leading];
    int first = read == 0 ? leading : 0;
    int end = read == 0 ? tokens : read;
    for (int i = first; i < end; i++) {
      for (int j = 0; j < row.length; j++) {
        row[j] += matrix[offset + i * tokens + leading + j] / (end - first);
      }
    }
    return row;
  }

  private static Tensor pixels(String name, int image) throws Exception {
    Path file = RESOURCES.resolve("checkpoints").resolve(name).resolve("expected.safetensors");
    try (Safetensors expected = Safetensors.open(file)) {
      Tensor all = expected.tensor("pixel_values");
      Shape shape = all.shape();
      float[] values = all.toFloats();
      int size = values.length / shape.extent(0);
      return Tensor.of(
          Shape.of(1, shape.extent(1), shape.extent(2), shape.extent(3)),
          Arrays.copyOfRange(values, image * size, (image + 1) * size));
    }
  }

  @Test
  void anotherLayerAndAnotherSizeCanBeAskedFor() throws Exception {
    try (Model model = Models.load(RESOURCES.resolve("checkpoints/vit-tiny"));
        Engine engine = Engines.open("auto", 1)) {
      Tensor wide = Tensor.of(Shape.of(1, 3, 32, 48), new float[3 * 32 * 48]);
      AttentionMaps maps = AttentionMaps.of(model, engine, wide, 0);
      assertThat(maps.layer()).isZero();
      assertThat(maps.rows()).isEqualTo(4);
      assertThat(maps.columns()).isEqualTo(6);
      assertThat(maps.logits()).hasSize(10);
      assertThat(maps.coveredWidth()).isEqualTo(1);
      Tensor odd = Tensor.of(Shape.of(1, 3, 35, 40), new float[3 * 35 * 40]);
      AttentionMaps cut = AttentionMaps.of(model, engine, odd, 0);
      assertThat(cut.rows()).isEqualTo(4);
      assertThat(cut.coveredHeight()).isEqualTo(32 / 35.0);
      assertThat(cut.coveredWidth()).isEqualTo(1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> AttentionMaps.of(model, engine, wide, 3))
          .withMessage("there is no layer 3; the model has 3, from 0");
      Tensor two = Tensor.of(Shape.of(2, 3, 32, 32), new float[2 * 3 * 32 * 32]);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> AttentionMaps.of(model, engine, two, -1))
          .withMessageStartingWith("attention is that of one image");
    }
  }
}
