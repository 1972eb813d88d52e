package dev.tessera.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.report.AttentionPicture.Panel;
import dev.tessera.report.AttentionPicture.Subject;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class AttentionPictureTest {
  private static final int SIDE = 100;
  private static final int TOP = 10;

  /** A gray picture twice as wide as high, whose middle square a model sees. */
  private static Subject subject() {
    byte[] gray = new byte[3 * 80 * 40];
    Arrays.fill(gray, (byte) 128);
    return new Subject(new RgbImage(80, 40, gray), new Preprocessor.View(0.25, 0, 0.75, 1), 2, 2);
  }

  private static BufferedImage draw(float... map) throws IOException {
    byte[] png =
        AttentionPicture.png(
            "",
            subject(),
            List.of(new Panel("plain", null), new Panel("map", map)),
            2,
            SIDE,
            Theme.LIGHT);
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  /** Brightness at a place of the second panel, in shares of the picture. */
  private static int brightness(BufferedImage image, double x, double y) {
    Color color =
        new Color(
            image.getRGB(2 * (int) (10 + SIDE + 10 + x * SIDE), 2 * (int) (TOP + y * SIDE / 2)));
    return color.getRed() + color.getGreen() + color.getBlue();
  }

  @Test
  void attentionLightsUpItsPatch() throws IOException {
    BufferedImage image = draw(0, 0, 0, 1);
    int bright = brightness(image, 0.7, 0.9);
    int dark = brightness(image, 0.3, 0.1);
    int unseen = brightness(image, 0.1, 0.9);
    assertThat(bright).isGreaterThan(3 * 128);
    assertThat(dark).isLessThan(3 * 128);
    assertThat(unseen).isLessThan(dark);
    assertThat(new Color(image.getRGB(2 * 60, 2 * 30))).isEqualTo(new Color(128, 128, 128));
  }

  @Test
  void onlyDifferencesCount() throws IOException {
    BufferedImage image = draw(7, 7, 7, 7);
    assertThat(brightness(image, 0.3, 0.1)).isEqualTo(brightness(image, 0.7, 0.9));
    assertThat(brightness(draw(5, 5, 5, 6), 0.7, 0.9))
        .isEqualTo(brightness(draw(0, 0, 0, 1), 0.7, 0.9));
  }

  @Test
  void aModelSeesTheMiddleOfWhatItCrops() {
    Map<String, Object> config =
        Map.of(
            "image_processor_type",
            "CLIPImageProcessor",
            "size",
            Map.of("shortest_edge", 40),
            "crop_size",
            Map.of("height", 40, "width", 40));
    Preprocessor preprocessor = Preprocessor.ofHuggingFace(config, Map.of());
    assertThat(preprocessor.view(80, 40)).isEqualTo(new Preprocessor.View(0.25, 0, 0.75, 1));
    assertThat(preprocessor.view(40, 80)).isEqualTo(new Preprocessor.View(0, 0.25, 1, 0.75));
    Map<String, Object> padded =
        Map.of(
            "image_processor_type",
            "CLIPImageProcessor",
            "size",
            Map.of("shortest_edge", 40),
            "crop_size",
            Map.of("height", 80, "width", 40));
    assertThat(Preprocessor.ofHuggingFace(padded, Map.of()).view(40, 40))
        .isEqualTo(new Preprocessor.View(0, -0.5, 1, 1.5));
  }
}
