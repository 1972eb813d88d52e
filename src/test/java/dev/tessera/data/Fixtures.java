package dev.tessera.data;

import dev.tessera.image.Preprocessor;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;

/** Small data sets for tests. */
final class Fixtures {
  private Fixtures() {}

  static Path png(Path file, int width, int height, int color) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, color + 3 * x + 0x500 * y);
      }
    }
    try {
      Files.createDirectories(file.getParent());
      ImageIO.write(image, "png", file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  /**
   * Images of {@code side} pixels whose first sample is their number, and {@code counts} of each
   * class.
   */
  static LabelledImages images(int side, int... counts) {
    List<LabelledImage> images = new ArrayList<>();
    List<String> classes = new ArrayList<>();
    for (int label = 0; label < counts.length; label++) {
      classes.add("class " + label);
      for (int i = 0; i < counts[label]; i++) {
        int number = images.size();
        byte[] samples = new byte[side * side];
        for (int j = 0; j < samples.length; j++) {
          samples[j] = (byte) (number + 31 * j);
        }
        images.add(
            new LabelledImage(
                "image-%03d".formatted(number),
                new ImageSource.Samples(side, side, samples),
                label,
                null));
      }
    }
    return new LabelledImages(classes, images);
  }

  static byte[] idx(int magic, int[] dimensions, byte[] data) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(magic);
      for (int dimension : dimensions) {
        out.writeInt(dimension);
      }
      out.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Takes {@code side} by {@code side} images; one channel: their samples divided by 255. */
  static Preprocessor preprocessor(int channels, int side) {
    return Preprocessor.ofTimm(
        Map.of(
            "architecture",
            "vit_tiny_patch16_224",
            "pretrained_cfg",
            Map.of(
                "input_size",
                List.of(channels, side, side),
                "crop_pct",
                1.0,
                "mean",
                channels == 1 ? List.of(0.0) : List.of(0.0, 0.0, 0.0),
                "std",
                channels == 1 ? List.of(1.0) : List.of(1.0, 1.0, 1.0))));
  }

  /** Something beside the checkout; the test is skipped where it is absent. */
  static Path shared(String name) {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    Path path = Path.of("..").resolve(configured).resolve(name);
    Assumptions.assumeTrue(
        Files.exists(path), "skipped: " + name + " is not in TESSERA_SHARED or ../shared");
    return path;
  }

  /** Debian's package dataset-fashion-mnist; the test is skipped where it is not installed. */
  static Path fashionMnist() {
    Path path = Path.of("/usr/share/datasets/fashion-mnist");
    Assumptions.assumeTrue(Files.exists(path), "skipped: install Debian's dataset-fashion-mnist");
    return path;
  }
}
