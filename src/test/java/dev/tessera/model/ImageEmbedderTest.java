package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.image.ImageException;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Vectors against what the reference implementations leave in {@code last_hidden_state}. */
class ImageEmbedderTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final Path IMAGES = Path.of("test/resources/images/files");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "vit-tiny, CLS, last_hidden_state, 0, 1",
    "vit-tiny, MEAN, last_hidden_state, 1, 17",
    "dinov2-cls, POOLER, last_hidden_state, 0, 1",
    "dinov2-reg, MEAN, last_hidden_state, 5, 14",
    "dinov2-reg, CLS, last_hidden_state, 0, 1",
    "timm-vit, CLS, forward_features, 0, 1",
  })
  void poolsTheTokensThatItSays(String name, Pooling pooling, String stage, int from, int to)
      throws IOException {
    Path model = CHECKPOINTS.resolve(name);
    try (ImageEmbedder embedder = ImageEmbedder.open(model, new ScalarEngine(), pooling);
        Safetensors expected = Safetensors.open(model.resolve("expected.safetensors"))) {
      Tensor tokens = expected.tensor(stage);
      int images = tokens.shape().extent(0);
      int perImage = tokens.shape().extent(1) * tokens.shape().last();
      float[] values = tokens.toFloats();
      float[][] vectors = embedder.embeddings(expected.tensor("pixel_values"), images);
      assertThat(vectors).hasDimensions(images, embedder.dimensions());
      assertThat(embedder.dimensions()).isEqualTo(tokens.shape().last());
      for (int image = 0; image < images; image++) {
        for (int i = 0; i < embedder.dimensions(); i++) {
          double sum = 0;
          for (int token = from; token < to; token++) {
            sum += values[image * perImage + token * embedder.dimensions() + i];
          }
          assertThat((double) vectors[image][i])
              .as("%d, %d", image, i)
              .isCloseTo(sum / (to - from), within(1e-4));
        }
      }
    }
  }

  @Test
  void poolsAsTheModelSays() throws IOException {
    assertThat(pooling("vit-tiny", null)).isEqualTo(Pooling.CLS);
    assertThat(pooling("deit-distilled", null)).isEqualTo(Pooling.CLS);
    assertThat(pooling("dinov2-reg", null)).isEqualTo(Pooling.POOLER);
    assertThat(pooling("timm-vit-reg4-nocls", null)).isEqualTo(Pooling.POOLER);
    assertThat(pooling("dinov2-reg", Pooling.MEAN)).isEqualTo(Pooling.MEAN);
  }

  private static Pooling pooling(String name, @Nullable Pooling asked) throws IOException {
    try (ImageEmbedder embedder =
        ImageEmbedder.open(CHECKPOINTS.resolve(name), new ScalarEngine(), asked)) {
      return embedder.pooling();
    }
  }

  @Test
  void saysWhatElseThereIsToPool() {
    assertThatThrownBy(() -> pooling("vit-tiny", Pooling.POOLER))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(
            "has no pooler (architecture ViTForImageClassification); pool cls or mean");
    assertThatThrownBy(() -> pooling("dinov2-reg", Pooling.PROJECTION))
        .hasMessageContaining("has no projection");
    assertThatThrownBy(() -> pooling("timm-vit-reg4-nocls", Pooling.CLS))
        .hasMessageContaining("has no class token")
        .hasMessageContaining("pool mean or pooler");
  }

  @Test
  void oneFileGivesTheSameAsABatchAndNamesWhatIsNoPicture() throws IOException {
    try (ImageEmbedder embedder = ImageEmbedder.open(CHECKPOINTS.resolve("vit-tiny"))) {
      float[] vector = embedder.embed(IMAGES.resolve("png_rgb.png"));
      assertThat(vector).hasSize(48).doesNotContain(Float.NaN);
      assertThat(embedder.embed(IMAGES.resolve("png_rgb.png"))).isEqualTo(vector);
      assertThat(embedder.embed(IMAGES.resolve("jpeg_641x427.jpg"))).isNotEqualTo(vector);
      assertThatThrownBy(() -> embedder.embed(folder.resolve("none.png")))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("none.png does not exist");
    }
  }

  @Test
  void normalizesToLengthOne() {
    float[] vector = {3, 0, -4};
    ImageEmbedder.normalize(vector);
    assertThat(vector).containsExactly(0.6f, 0, -0.8f);
    float[] zeros = new float[3];
    ImageEmbedder.normalize(zeros);
    assertThat(zeros).containsOnly(0f);
  }

  @Test
  void fingerprintsDifferWhereVectorsDo() throws IOException {
    Path tiny = CHECKPOINTS.resolve("vit-tiny");
    Set<String> different = new HashSet<>();
    different.add(fingerprint(tiny, Pooling.CLS));
    different.add(fingerprint(tiny, Pooling.MEAN));
    different.add(fingerprint(CHECKPOINTS.resolve("deit-distilled"), Pooling.CLS));
    different.add(fingerprint(changed("weight", "vit.encoder.layer.1"), Pooling.CLS));
    different.add(fingerprint(preprocessedOtherwise(), Pooling.CLS));
    assertThat(different).hasSize(5).allMatch(text -> text.matches("[0-9a-f]{32}"));
  }

  @Test
  void fingerprintsAreEqualWhereOnlyFolderOrClassifierDiffers() throws IOException {
    String fingerprint = fingerprint(CHECKPOINTS.resolve("vit-tiny"), Pooling.CLS);
    assertThat(fingerprint(changed("nothing", "no such parameter"), Pooling.CLS))
        .isEqualTo(fingerprint);
    assertThat(fingerprint(changed("classifier", "classifier.weight"), Pooling.CLS))
        .isEqualTo(fingerprint);
  }

  private static String fingerprint(Path model, Pooling pooling) throws IOException {
    try (ImageEmbedder embedder = ImageEmbedder.open(model, new ScalarEngine(), pooling)) {
      return embedder.fingerprint();
    }
  }

  /** A copy of vit-tiny in which the parameters whose names start so are a little larger. */
  private Path changed(String name, String prefix) throws IOException {
    Path copy = copy(name);
    Map<String, Tensor> tensors = new HashMap<>();
    try (Safetensors file = Safetensors.open(copy.resolve("model.safetensors"))) {
      file.tensors()
          .forEach((key, tensor) -> {
            float[] values = tensor.toFloats();
            if (key.startsWith(prefix)) {
              values[values.length - 1] = Math.nextUp(values[values.length - 1]);
            }
            tensors.put(key, Tensor.of(tensor.shape(), values));
          });
    }
    Safetensors.write(copy.resolve("model.safetensors"), tensors, Map.of());
    return copy;
  }

  private Path preprocessedOtherwise() throws IOException {
    Path copy = copy("preprocessor");
    Path file = copy.resolve("preprocessor_config.json");
    String config = Files.readString(file);
    String other = config.replaceFirst("\"image_mean\": \\[\\s*0\\.\\d", "\"image_mean\": [0.4");
    assertThat(other).isNotEqualTo(config);
    Files.writeString(file, other);
    return copy;
  }

  private Path copy(String name) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    for (String file :
        new String[] {"config.json", "model.safetensors", "preprocessor_config.json"}) {
      Files.copy(CHECKPOINTS.resolve("vit-tiny").resolve(file), copy.resolve(file));
    }
    return copy;
  }
}
