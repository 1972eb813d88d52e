package dev.tessera.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tessera.image.RgbImage;
import dev.tessera.metrics.Evaluation;
import dev.tessera.report.TrainingCurves.Point;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is drawn is looked at by people; here is tested that it is drawn, and of what. */
class PlotsTest {
  private static final double NONE = Double.NaN;

  private static BufferedImage image(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static Set<Integer> colors(BufferedImage image) {
    Set<Integer> colors = new HashSet<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colors.add(image.getRGB(x, y));
      }
    }
    return colors;
  }

  @ParameterizedTest
  @EnumSource
  void curvesShowEachSeriesInItsColor(Theme theme) throws IOException {
    BufferedImage image =
        image(
            TrainingCurves.png(
                "title",
                List.of(new Point(1, 2, 2.5, 0.2, 0.1, 1e-3), new Point(2, 1, NONE, 0.6, 0.5, 0)),
                theme));
    assertThat(image.getWidth()).isEqualTo(2 * 760);
    assertThat(image.getHeight()).isEqualTo(3 * 2 * 260);
    assertThat(new Color(image.getRGB(0, 0))).isEqualTo(theme.background());
    assertThat(colors(image)).contains(theme.series(0, 2).getRGB(), theme.series(1, 2).getRGB());
  }

  @Test
  void aPanelWithoutValuesIsLeftOut() throws IOException {
    Point lossOnly = new Point(0.5, 2, NONE, NONE, NONE, NONE);
    assertThat(image(TrainingCurves.png("", List.of(lossOnly), Theme.LIGHT)).getHeight())
        .isEqualTo(2 * 260);
    assertThat(image(TrainingCurves.png("", List.of(), Theme.LIGHT)).getHeight())
        .isEqualTo(2 * 260);
    Point diverged = new Point(1, Double.POSITIVE_INFINITY, NONE, 0.5, NONE, NONE);
    assertThat(image(TrainingCurves.png("", List.of(diverged), Theme.LIGHT)).getHeight())
        .isEqualTo(2 * 260);
  }

  @Test
  void aThousandEpochsAndATinyLearningRateFit() throws IOException {
    List<Point> points = new ArrayList<>();
    for (int i = 1; i <= 1000; i++) {
      points.add(new Point(i, 1.0 / i, 2.0 / i, NONE, 1 - 1.0 / i, 1e-7 / i));
    }
    assertThat(image(TrainingCurves.png("long", points, Theme.DARK)).getHeight())
        .isEqualTo(3 * 2 * 260);
  }

  @Test
  void confusionShowsWhatIsRightInTheStrongestColor() throws IOException {
    Evaluation evaluation = new Evaluation(3);
    evaluation.add(0, new float[] {1, 0, 0});
    evaluation.add(1, new float[] {0, 1, 0});
    List<String> labels =
        List.of("cat", "<b>dog</b>", "a name of more than a hundred letters ".repeat(4));
    BufferedImage image = image(ConfusionPlot.png(evaluation.confusion(), labels, Theme.LIGHT));
    assertThat(colors(image)).contains(Theme.LIGHT.strong().getRGB());
    BufferedImage none =
        image(ConfusionPlot.png(new Evaluation(3).confusion(), labels, Theme.LIGHT));
    assertThat(colors(none)).doesNotContain(Theme.LIGHT.strong().getRGB());
  }

  @Test
  void confusionOfManyClassesStaysAPicture() throws IOException {
    int classes = 1000;
    Evaluation evaluation = new Evaluation(classes);
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < classes; i++) {
      float[] logits = new float[classes];
      logits[(i + i % 2) % classes] = 1;
      evaluation.add(i, logits);
      labels.add("class " + i);
    }
    assertThat(image(ConfusionPlot.png(evaluation.confusion(), labels, Theme.DARK)).getWidth())
        .isLessThan(2400);
  }

  @ParameterizedTest
  @EnumSource
  void reliabilityIsDrawnWithAndWithoutAnswers(Theme theme) throws IOException {
    Evaluation evaluation = new Evaluation(2);
    assertThat(colors(image(ReliabilityDiagram.png(evaluation.calibration(), theme))))
        .doesNotContain(theme.series(0, 2).getRGB());
    evaluation.add(0, new float[] {1, 0});
    evaluation.add(1, new float[] {3, 0});
    assertThat(colors(image(ReliabilityDiagram.png(evaluation.calibration(), theme))))
        .contains(theme.series(0, 2).getRGB(), theme.reference().getRGB());
  }

  @Test
  void aMapTakesManyGroupsAndEqualNames() throws IOException {
    List<ScatterMap.Group> groups = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      groups.add(new ScatterMap.Group("same", new double[] {i, i + 0.5}, new double[] {i, -i}));
    }
    groups.add(new ScatterMap.Group("empty", new double[0], new double[0]));
    assertThat(colors(image(ScatterMap.png("", groups, Theme.LIGHT)))).hasSizeGreaterThan(40);
    assertThat(image(ScatterMap.png("nothing", List.of(), Theme.LIGHT)).getWidth())
        .isEqualTo(2 * 860);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ScatterMap.Group("", new double[1], new double[2]));
  }

  @Test
  void seriesHaveColorsOfTheirOwn() {
    for (Theme theme : Theme.values()) {
      for (int count : new int[] {1, 6, 7, 30}) {
        Set<Color> colors = new HashSet<>();
        for (int i = 0; i < count; i++) {
          colors.add(theme.series(i, count));
        }
        assertThat(colors).as("%s of %s", count, theme).hasSize(count);
      }
    }
  }

  @Test
  void aSheetHasARoomForEachPicture() throws IOException {
    RgbImage red = filled(40, 20, 200, 0, 0);
    RgbImage large = filled(500, 700, 0, 0, 200);
    byte[] png =
        ContactSheet.png(
            List.of(
                new ContactSheet.Cell(red, "a caption that is far too long for its picture"),
                new ContactSheet.Cell(large, ""),
                new ContactSheet.Cell(red, "3")),
            2,
            60,
            Theme.LIGHT);
    BufferedImage image = image(png);
    assertThat(image.getWidth()).isEqualTo(2 * (10 + 2 * 70));
    assertThat(image.getHeight()).isEqualTo(2 * (10 + 2 * 86));
    assertThat(new Color(image.getRGB(2 * 40, 2 * 40))).isEqualTo(new Color(200, 0, 0));
    assertThat(new Color(image.getRGB(2 * 110, 2 * 40))).isEqualTo(new Color(0, 0, 200));
    assertThat(new Color(image.getRGB(2 * 40, 2 * 126))).isEqualTo(new Color(200, 0, 0));
    assertThat(new Color(image.getRGB(2 * 110, 2 * 126))).isEqualTo(Theme.LIGHT.background());
  }

  @Test
  void aSheetThatCannotBeIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ContactSheet.png(List.of(), 3, 60, Theme.LIGHT));
    ContactSheet.Cell cell = new ContactSheet.Cell(filled(1, 1, 0, 0, 0), "");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            ContactSheet.png(java.util.Collections.nCopies(100_000, cell), 10, 400, Theme.LIGHT))
        .withMessage("100000 pictures of 400 pixels are too many for one sheet");
  }

  @Test
  void thumbnailsKeepTheirShapeAndAreNotEnlarged() throws IOException {
    Picture small = Thumbnails.of(filled(28, 20, 9, 8, 7), 96);
    assertThat(small.mediaType()).isEqualTo("image/png");
    assertThat(small.width()).isEqualTo(28);
    assertThat(image(small.bytes()).getRGB(5, 5)).isEqualTo(0xff090807);
    Picture wide = Thumbnails.of(filled(3000, 10, 90, 80, 70), 96);
    assertThat(wide.width()).isEqualTo(96);
    assertThat(wide.height()).isEqualTo(1);
    Picture photo = Thumbnails.of(filled(300, 200, 90, 80, 70), 96);
    assertThat(photo.mediaType()).isEqualTo("image/jpeg");
    assertThat(photo.height()).isEqualTo(64);
    Color color = new Color(image(photo.bytes()).getRGB(40, 30));
    assertThat(color.getRed()).isBetween(86, 94);
    assertThat(color.getBlue()).isBetween(66, 74);
  }

  private static RgbImage filled(int width, int height, int red, int green, int blue) {
    byte[] pixels = new byte[3 * width * height];
    byte[] color = {(byte) red, (byte) green, (byte) blue};
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = color[i % 3];
    }
    return new RgbImage(width, height, Arrays.copyOf(pixels, pixels.length));
  }
}
