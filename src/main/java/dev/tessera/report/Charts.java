package dev.tessera.report;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import javax.imageio.ImageIO;
import org.knowm.xchart.internal.chartpart.AxesChart;
import org.knowm.xchart.style.AxesChartStyler;

/** What all plots have in common: their look, and the way to PNG. */
final class Charts {
  /** Pixels of the picture for one pixel of the layout: sharp on a phone. */
  static final int SCALE = 2;

  private static final String FONT = Font.SANS_SERIF;

  private Charts() {}

  static Font font(int style, int size) {
    return new Font(FONT, style, size);
  }

  /** Tessera's look. */
  static void style(AxesChartStyler styler, Theme theme) {
    styler.setBaseFont(font(Font.PLAIN, 12));
    styler.setChartTitleFont(font(Font.BOLD, 14));
    styler.setAxisTitleFont(font(Font.PLAIN, 12));
    styler.setAxisTickLabelsFont(font(Font.PLAIN, 11));
    styler.setLegendFont(font(Font.PLAIN, 11));
    styler.setChartBackgroundColor(theme.background());
    styler.setPlotBackgroundColor(theme.background());
    styler.setLegendBackgroundColor(theme.background());
    styler.setLegendBorderColor(theme.background());
    styler.setChartFontColor(theme.foreground());
    styler.setChartTitleFontColor(theme.foreground());
    styler.setXAxisTitleColor(theme.foreground());
    styler.setYAxisTitleColor(theme.foreground());
    styler.setAxisTickLabelsColor(theme.muted());
    styler.setAxisTickMarksColor(theme.grid());
    styler.setPlotGridLinesColor(theme.grid());
    styler.setPlotBorderColor(theme.grid());
    styler.setChartTitleBoxVisible(false);
    styler.setPlotMargin(0);
    styler.setChartPadding(8);
    styler.setLegendPadding(6);
  }

  /**
   * Charts below each other, as PNG.
   *
   * @param width of the layout
   * @param height of each
   */
  static byte[] png(List<? extends AxesChart<?, ?>> charts, int width, int height, Theme theme) {
    return png(
        width,
        height * charts.size(),
        theme.background(),
        graphics -> {
          for (AxesChart<?, ?> chart : charts) {
            chart.paint(graphics, width, height);
            graphics.translate(0, height);
          }
        });
  }

  /** What {@code drawing} draws on a ground of one colour, as PNG. */
  static byte[] png(int width, int height, Color background, Consumer<Graphics2D> drawing) {
    BufferedImage image =
        new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.scale(SCALE, SCALE);
      graphics.setColor(background);
      graphics.fillRect(0, 0, width, height);
      graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      requireFont(graphics);
      drawing.accept(graphics);
    } finally {
      graphics.dispose();
    }
    return encode(image);
  }

  private static void requireFont(Graphics2D graphics) {
    try {
      graphics.getFontMetrics(font(Font.PLAIN, 12)).stringWidth("font");
    } catch (RuntimeException | LinkageError | InternalError e) {
      // The JDK says so in each of these ways where the system has no fonts or no font library.
      throw new PlotException(
          "no text can be drawn on this machine ("
              + e.getMessage()
              + "); install a font, for example with apt-get install fontconfig fonts-dejavu-core",
          e);
    }
  }

  /** {@code text}, cut where it would be wider than {@code width}. */
  static String fitting(String text, int width, FontMetrics metrics) {
    if (metrics.stringWidth(text) <= width) {
      return text;
    }
    int end = text.length();
    while (end > 0 && metrics.stringWidth(text.substring(0, end) + "…") > width) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end) + "…";
  }

  static byte[] encode(BufferedImage image) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory cannot fail", e);
    }
    return bytes.toByteArray();
  }
}
