package dev.tessera.report;

import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A picture several times beside itself, each time under another map of its patches: from dark
 * where little is to bright where most is, each map between its own smallest and largest value.
 * What the model does not see of the picture is darkened.
 */
public final class AttentionPicture {
  private static final int GAP = 10;
  private static final int LINE = 18;
  private static final int HEADLINE = 30;

  /** Dark violet over red to light yellow, about equally far apart to the eye. */
  private static final int[][] COLORS = {
    {6, 4, 30}, {80, 20, 110}, {178, 52, 105}, {240, 112, 70}, {252, 196, 90}, {252, 250, 190}
  };

  /** The share of the picture that stays visible under any map. */
  private static final double CLEAREST = 0.6;

  private static final double STRONGEST = 0.35;
  private static final double UNSEEN = 0.3;

  /**
   * One of the pictures.
   *
   * @param map {@code [rows * columns]}, or null for the picture as it is
   */
  public record Panel(String caption, float @Nullable [] map) {}

  /**
   * What is shown.
   *
   * @param view what the model sees of the picture
   * @param rows of patches
   * @param columns of patches
   */
  public record Subject(RgbImage image, Preprocessor.View view, int rows, int columns) {}

  private AttentionPicture() {}

  /**
   * The panels as PNG.
   *
   * @param headline a line above them; may be empty
   * @param across how many panels stand beside each other
   * @param side longer side of a panel
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(
      String headline, Subject subject, List<Panel> panels, int across, int side, Theme theme) {
    int columns = Math.min(across, panels.size());
    int down = (panels.size() + columns - 1) / columns;
    int longer = Math.max(subject.image.width(), subject.image.height());
    int width = Math.max(1, Math.round((float) side * subject.image.width() / longer));
    int height = Math.max(1, Math.round((float) side * subject.image.height() / longer));
    int top = headline.isEmpty() ? GAP : HEADLINE;
    return Charts.png(
        GAP + columns * (width + GAP),
        top + down * (height + LINE + GAP),
        theme.background(),
        graphics -> {
          graphics.setColor(theme.foreground());
          graphics.setFont(Charts.font(Font.BOLD, 13));
          int room = columns * (width + GAP) - GAP;
          graphics.drawString(
              Charts.fitting(headline, room, graphics.getFontMetrics()), GAP, HEADLINE - 10);
          graphics.setFont(Charts.font(Font.PLAIN, 12));
          for (int i = 0; i < panels.size(); i++) {
            int x = GAP + i % columns * (width + GAP);
            int y = top + i / columns * (height + LINE + GAP);
            draw(graphics, subject, panels.get(i), x, y, width, height);
            graphics.drawString(
                Charts.fitting(panels.get(i).caption(), width, graphics.getFontMetrics()),
                x,
                y + height + 14);
          }
        });
  }

  private static void draw(
      Graphics2D graphics, Subject subject, Panel panel, int x, int y, int width, int height) {
    BufferedImage picture = enlarged(subject.image, Charts.SCALE * width, Charts.SCALE * height);
    float[] map = panel.map();
    if (map != null) {
      cover(picture, subject, map);
    }
    graphics.drawImage(picture, x, y, width, height, null);
  }

  private static BufferedImage enlarged(RgbImage image, int width, int height) {
    RgbImage small = Thumbnails.shrunk(image, 2 * Math.max(width, height));
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = picture.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION,
        small.width() < width
            ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
            : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(Thumbnails.buffered(small), 0, 0, width, height, null);
    graphics.dispose();
    return picture;
  }

  private static void cover(BufferedImage picture, Subject subject, float[] map) {
    float[] shares = scaled(map);
    Preprocessor.View view = subject.view;
    for (int y = 0; y < picture.getHeight(); y++) {
      double v = ((y + 0.5) / picture.getHeight() - view.top()) / (view.bottom() - view.top());
      for (int x = 0; x < picture.getWidth(); x++) {
        double u = ((x + 0.5) / picture.getWidth() - view.left()) / (view.right() - view.left());
        int rgb = picture.getRGB(x, y);
        boolean seen = u >= 0 && u < 1 && v >= 0 && v < 1;
        double share =
            seen ? at(shares, subject, v * subject.rows - 0.5, u * subject.columns - 0.5) : 0;
        picture.setRGB(x, y, seen ? tinted(rgb, share) : mixed(rgb, COLORS[0], UNSEEN));
      }
    }
  }

  /** From 0 at the smallest value to 1 at the largest; all 0 where they are equal. */
  private static float[] scaled(float[] map) {
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float value : map) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    float[] shares = new float[map.length];
    for (int i = 0; i < map.length && most > least; i++) {
      shares[i] = (map[i] - least) / (most - least);
    }
    return shares;
  }

  /** Between the centres of patches, bilinear; beyond the outermost ones, theirs. */
  private static double at(float[] shares, Subject subject, double row, double column) {
    int rows = subject.rows;
    int columns = subject.columns;
    double y = Math.clamp(row, 0, rows - 1);
    double x = Math.clamp(column, 0, columns - 1);
    int top = (int) y;
    int left = (int) x;
    int bottom = Math.min(top + 1, rows - 1);
    int right = Math.min(left + 1, columns - 1);
    double upper =
        shares[top * columns + left] * (1 - (x - left))
            + shares[top * columns + right] * (x - left);
    double lower =
        shares[bottom * columns + left] * (1 - (x - left))
            + shares[bottom * columns + right] * (x - left);
    return upper * (1 - (y - top)) + lower * (y - top);
  }

  private static int tinted(int rgb, double share) {
    double position = share * (COLORS.length - 1);
    int from = Math.min((int) position, COLORS.length - 2);
    int[] color = new int[3];
    for (int c = 0; c < 3; c++) {
      color[c] =
          (int)
              Math.round(
                  COLORS[from][c] + (position - from) * (COLORS[from + 1][c] - COLORS[from][c]));
    }
    return mixed(rgb, color, CLEAREST + share * (STRONGEST - CLEAREST));
  }

  /** {@code kept} of the picture, the rest of the color. */
  private static int mixed(int rgb, int[] color, double kept) {
    Color picture = new Color(rgb);
    return new Color(
            (int) Math.round(kept * picture.getRed() + (1 - kept) * color[0]),
            (int) Math.round(kept * picture.getGreen() + (1 - kept) * color[1]),
            (int) Math.round(kept * picture.getBlue() + (1 - kept) * color[2]))
        .getRGB();
  }
}
