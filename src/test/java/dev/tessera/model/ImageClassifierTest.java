package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.image.ImageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From files to labels, against the logits of the reference implementations. */
class ImageClassifierTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final Path IMAGES = Path.of("test/resources/images");

  @ParameterizedTest
  @ValueSource(strings = {"vit-tiny", "deit-distilled", "dinov2-cls", "timm-vit"})
  void saysWhatTheReferenceSays(String name) throws IOException {
    int images = 0;
    try (ImageClassifier classifier = ImageClassifier.open(CHECKPOINTS.resolve(name));
        Safetensors reference = Safetensors.open(IMAGES.resolve("e2e.safetensors"))) {
      for (String key : reference.tensors().keySet()) {
        String[] parts = key.split("/", -1);
        if (!parts[0].equals(name) || !parts[2].equals("logits")) {
          continue;
        }
        images++;
        float[] logits = reference.tensor(key).toFloats();
        Path file = IMAGES.resolve("files").resolve(parts[1]);
        List<Prediction> predictions = classifier.classify(file, logits.length);
        assertThat(predictions).hasSize(logits.length);
        float previous = 1;
        for (Prediction prediction : predictions) {
          assertThat(prediction.score()).isLessThanOrEqualTo(previous);
          previous = prediction.score();
          assertThat(prediction.label()).isEqualTo(classifier.labels().get(prediction.index()));
          assertThat((double) prediction.score())
              .as("%s: %s", key, prediction.label())
              .isCloseTo(softmax(logits, prediction.index()), within(1e-4));
        }
        assertThat(classifier.classify(file, 3)).isEqualTo(predictions.subList(0, 3));
      }
    }
    assertThat(images).isGreaterThanOrEqualTo(4);
  }

  private static double softmax(float[] logits, int index) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - logits[index]);
    }
    return 1 / sum;
  }

  @Test
  void namesTheFileThatIsNoPicture() throws IOException {
    try (ImageClassifier classifier =
        ImageClassifier.open(CHECKPOINTS.resolve("vit-tiny"), new ScalarEngine())) {
      assertThatThrownBy(() -> classifier.classify(IMAGES.resolve("bad/text_named.jpg"), 1))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("text_named.jpg is not an image");
      assertThatThrownBy(() -> classifier.classify(IMAGES.resolve("files/png_rgb.png"), 0))
          .hasMessageContaining("the best 0 labels are none");
    }
  }

  @Test
  void wantsAModelThatClassifies() {
    assertThatThrownBy(() -> ImageClassifier.open(CHECKPOINTS.resolve("dinov2-reg")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("has no classifier (architecture Dinov2WithRegistersModel)");
  }
}
