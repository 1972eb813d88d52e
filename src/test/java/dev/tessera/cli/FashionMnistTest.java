package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engines;
import dev.tessera.image.RgbImage;
import dev.tessera.model.ImageClassifier;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.DataInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** A gray 28 by 28 ViT trained in PyTorch over all test images of Fashion-MNIST. */
class FashionMnistTest {
  /** From Debian's package dataset-fashion-mnist. */
  private static final Path IMAGES =
      Path.of("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz");

  private static final int COUNT = 10_000;
  private static final int BATCH = 250;
  private static final int SIDE = 28;

  @Test
  void everyLogitAgreesWithTransformers() throws Exception {
    Path model = SignDigitsTest.shared("models/vit-fashion-mnist");
    assumeThat(IMAGES).as("skipped: install Debian's dataset-fashion-mnist").exists();
    float[] expected;
    try (Safetensors file = Safetensors.open(model.resolve("expected_t10k.safetensors"))) {
      expected = file.tensor("logits").toFloats();
    }
    int labels = expected.length / COUNT;
    int wrong = 0;
    int right = 0;
    try (DataInputStream in =
            new DataInputStream(new GZIPInputStream(Files.newInputStream(IMAGES)));
        ImageClassifier classifier = ImageClassifier.open(model, Engines.open("auto", 0))) {
      assertThat(in.readInt()).isEqualTo(0x803);
      assertThat(in.readInt()).isEqualTo(COUNT);
      assertThat(in.readInt()).isEqualTo(SIDE);
      assertThat(in.readInt()).isEqualTo(SIDE);
      float[] pixels = new float[BATCH * SIDE * SIDE];
      for (int first = 0; first < COUNT; first += BATCH) {
        for (int i = 0; i < BATCH; i++) {
          classifier
              .preprocessor()
              .apply(gray(in.readNBytes(SIDE * SIDE)), pixels, i * SIDE * SIDE);
        }
        Tensor input = Tensor.of(Shape.of(BATCH, 1, SIDE, SIDE), pixels);
        for (float[] logits : classifier.logits(input, BATCH)) {
          float[] wanted = Arrays.copyOfRange(expected, right * labels, (right + 1) * labels);
          right++;
          for (int i = 0; i < labels; i++) {
            if (Math.abs(logits[i] - wanted[i]) > 1e-3 || best(logits) != best(wanted)) {
              wrong++;
              break;
            }
          }
        }
      }
    }
    assertThat(right).isEqualTo(COUNT);
    assertThat(wrong).isZero();
  }

  private static RgbImage gray(byte[] levels) {
    byte[] rgb = new byte[3 * levels.length];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = levels[i / 3];
    }
    return new RgbImage(SIDE, SIDE, rgb);
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
