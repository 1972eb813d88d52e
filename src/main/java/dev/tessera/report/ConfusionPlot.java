package dev.tessera.report;

import dev.tessera.metrics.ClassScores;
import dev.tessera.metrics.ConfusionMatrix;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A confusion matrix as a heat map: a row for each right class, coloured by the share of its images
 * that went to each column. Drawn here, because XChart's heat maps can neither label both axes of a
 * square nor write on dark and light cells alike.
 */
public final class ConfusionPlot {
  /** More rows would be illegible; then the classes with most mistakes are shown. */
  private static final int MOST_CLASSES = 32;

  private static final int MOST_NUMBERED = 20;
  private static final int MOST_NAME_WIDTH = 130;

  /** About, in the font of labels. */
  private static final int CHARACTER_WIDTH = 7;

  private static final int GAP = 8;
  private static final int TITLE = 34;

  /** What is drawn: the classes with their labels, and how large. */
  private record Layout(
      ConfusionMatrix matrix, List<Integer> shown, List<String> labels, int cell) {
    int nameWidth() {
      int longest = shown.stream().mapToInt(i -> labels.get(i).length()).max().orElse(0);
      return Math.min(CHARACTER_WIDTH * longest + 6, MOST_NAME_WIDTH);
    }

    int left() {
      return 26 + nameWidth() + GAP;
    }

    int side() {
      return cell * shown.size();
    }
  }

  private ConfusionPlot() {}

  /**
   * The picture as PNG, of the classes that occur.
   *
   * @param labels one for each class
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(ConfusionMatrix matrix, List<String> labels, Theme theme) {
    List<Integer> shown = shown(matrix);
    int size = shown.size();
    int cell = size <= 4 ? 64 : size <= 12 ? 46 : size <= MOST_NUMBERED ? 36 : 22;
    Layout layout = new Layout(matrix, shown, labels, cell);
    int width = Math.max(260, layout.left() + layout.side() + 24);
    int height = TITLE + layout.side() + GAP + layout.nameWidth() + 30;
    return Charts.png(
        width, height, theme.background(), graphics -> draw(graphics, layout, height, theme));
  }

  private static void draw(Graphics2D graphics, Layout layout, int height, Theme theme) {
    graphics.setColor(theme.foreground());
    graphics.setFont(Charts.font(Font.BOLD, 14));
    int most = layout.matrix().present().size();
    graphics.drawString(
        layout.shown().size() < most
            ? "Confusion, %% of each row: %d of %d classes, those with most mistakes"
                .formatted(layout.shown().size(), most)
            : "Confusion, % of each row",
        GAP,
        22);
    graphics.setFont(Charts.font(Font.PLAIN, 11));
    for (int i = 0; i < layout.shown().size(); i++) {
      rowLabel(graphics, layout, i, theme);
      columnLabel(graphics, layout, i, theme);
      for (int column = 0; column < layout.shown().size(); column++) {
        cell(graphics, layout, i, column, theme);
      }
    }
    graphics.setColor(theme.grid());
    graphics.drawRect(layout.left(), TITLE, layout.side(), layout.side());
    graphics.setColor(theme.foreground());
    graphics.setFont(Charts.font(Font.PLAIN, 12));
    FontMetrics metrics = graphics.getFontMetrics();
    graphics.drawString(
        "answered",
        layout.left() + (layout.side() - metrics.stringWidth("answered")) / 2,
        height - 8);
    Graphics2D upwards = (Graphics2D) graphics.create();
    upwards.translate(18, TITLE + (layout.side() + metrics.stringWidth("right")) / 2);
    upwards.rotate(-Math.PI / 2);
    upwards.drawString("right", 0, 0);
    upwards.dispose();
  }

  private static void rowLabel(Graphics2D graphics, Layout layout, int i, Theme theme) {
    FontMetrics metrics = graphics.getFontMetrics();
    String name = label(layout, i, metrics);
    graphics.setColor(theme.muted());
    graphics.drawString(
        name,
        layout.left() - GAP - metrics.stringWidth(name),
        TITLE + i * layout.cell() + (layout.cell() + metrics.getAscent()) / 2 - 1);
  }

  private static void columnLabel(Graphics2D graphics, Layout layout, int i, Theme theme) {
    FontMetrics metrics = graphics.getFontMetrics();
    String name = label(layout, i, metrics);
    Graphics2D upwards = (Graphics2D) graphics.create();
    upwards.setColor(theme.muted());
    upwards.translate(
        layout.left() + i * layout.cell() + (layout.cell() + metrics.getAscent()) / 2 - 1,
        TITLE + layout.side() + GAP + metrics.stringWidth(name));
    upwards.rotate(-Math.PI / 2);
    upwards.drawString(name, 0, 0);
    upwards.dispose();
  }

  private static String label(Layout layout, int i, FontMetrics metrics) {
    return Charts.fitting(layout.labels().get(layout.shown().get(i)), layout.nameWidth(), metrics);
  }

  private static void cell(Graphics2D graphics, Layout layout, int row, int column, Theme theme) {
    int truth = layout.shown().get(row);
    long support = layout.matrix().scores(truth).support();
    long count = layout.matrix().count(truth, layout.shown().get(column));
    if (count == 0) {
      return;
    }
    double share = (double) count / support;
    int x = layout.left() + column * layout.cell();
    int y = TITLE + row * layout.cell();
    // The square root lets rare mistakes be seen beside what is nearly always right.
    graphics.setColor(mixed(theme.background(), theme.strong(), Math.sqrt(share)));
    graphics.fillRect(x, y, layout.cell(), layout.cell());
    if (layout.shown().size() <= MOST_NUMBERED) {
      String text = percent(share);
      FontMetrics metrics = graphics.getFontMetrics();
      graphics.setColor(theme.foreground());
      graphics.drawString(
          text,
          x + (layout.cell() - metrics.stringWidth(text)) / 2,
          y + (layout.cell() + metrics.getAscent()) / 2 - 1);
    }
  }

  /** Whole percents, with a digit more where they would say all or nothing and it is not so. */
  private static String percent(double share) {
    double percent = 100 * share;
    return percent < 0.95 || (percent >= 99.5 && share < 1)
        ? String.format(Locale.ROOT, "%.1f", Math.clamp(percent, 0.1, 99.9))
        : Long.toString(Math.round(percent));
  }

  private static Color mixed(Color from, Color to, double share) {
    return new Color(
        (int) Math.round(from.getRed() + share * (to.getRed() - from.getRed())),
        (int) Math.round(from.getGreen() + share * (to.getGreen() - from.getGreen())),
        (int) Math.round(from.getBlue() + share * (to.getBlue() - from.getBlue())));
  }

  private static List<Integer> shown(ConfusionMatrix matrix) {
    List<ClassScores> present = matrix.present();
    if (present.isEmpty()) {
      return IntStream.range(0, Math.min(matrix.classes(), MOST_CLASSES)).boxed().toList();
    }
    return present.stream()
        .sorted(
            Comparator.comparingLong(
                    (ClassScores one) -> one.support() + one.predicted() - 2 * one.correct())
                .reversed())
        .limit(MOST_CLASSES)
        .map(ClassScores::index)
        .sorted()
        .toList();
  }
}
