package dev.tessera.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Small pictures made for tests. */
final class TestImages {
  private TestImages() {}

  /** A picture of one gray {@code level}. */
  static Path png(Path file, int width, int height, int level) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, level << 16 | level << 8 | level);
      }
    }
    ImageIO.write(image, "png", file.toFile());
    return file;
  }
}
