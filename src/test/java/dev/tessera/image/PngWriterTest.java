package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PngWriterTest {
  @Test
  void filesDecodeToTheSamePixels() throws Exception {
    Random random = new Random(3);
    for (int[] size : new int[][] {{1, 1}, {28, 28}, {3, 200}, {301, 7}}) {
      byte[] pixels = new byte[3 * size[0] * size[1]];
      random.nextBytes(pixels);
      check(new RgbImage(size[0], size[1], pixels), 3);
      check(new RgbImage(size[0], size[1], pixels).toGray(), 1);
    }
  }

  private static void check(RgbImage image, int channels) throws Exception {
    byte[] file = PngWriter.encode(image);
    RgbImage decoded = new Decoder().decode(file, "test.png");
    assertThat(decoded.width()).isEqualTo(image.width());
    assertThat(decoded.pixels()).isEqualTo(image.pixels());
    // Another reader agrees.
    assertThat(ImageIO.read(new ByteArrayInputStream(file)).getRaster().getNumBands())
        .isEqualTo(channels);
  }
}
