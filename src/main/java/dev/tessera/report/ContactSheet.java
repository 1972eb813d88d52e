package dev.tessera.report;

import dev.tessera.image.RgbImage;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.util.List;

/** Pictures in rows and columns, each above its caption. */
public final class ContactSheet {
  private static final int GAP = 10;
  private static final int LINE = 16;

  /** A sheet is one picture in memory. */
  private static final long MOST_PIXELS = 64L << 20;

  /** One picture; an empty caption takes no less room. */
  public record Cell(RgbImage image, String caption) {}

  private ContactSheet() {}

  /**
   * The sheet as PNG.
   *
   * @param columns how many pictures stand beside each other
   * @param side pixels of the longer side of a picture; small ones are enlarged with hard edges
   * @throws IllegalArgumentException if there are no pictures, or too many for one sheet
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(List<Cell> cells, int columns, int side, Theme theme) {
    if (cells.isEmpty() || columns < 1 || side < 1) {
      throw new IllegalArgumentException(
          "%d pictures in %d columns of %d pixels".formatted(cells.size(), columns, side));
    }
    int across = Math.min(columns, cells.size());
    long down = (cells.size() + across - 1L) / across;
    long width = GAP + across * (side + (long) GAP);
    long height = GAP + down * (side + (long) LINE + GAP);
    if (4 * width * height > MOST_PIXELS) {
      throw new IllegalArgumentException(
          cells.size() + " pictures of " + side + " pixels are too many for one sheet");
    }
    return Charts.png(
        (int) width,
        (int) height,
        theme.background(),
        graphics -> {
          graphics.setFont(Charts.font(Font.PLAIN, 11));
          graphics.setColor(theme.foreground());
          for (int i = 0; i < cells.size(); i++) {
            draw(
                graphics,
                cells.get(i),
                GAP + i % across * (side + GAP),
                GAP + i / across * (side + LINE + GAP),
                side);
          }
        });
  }

  private static void draw(Graphics2D graphics, Cell cell, int left, int top, int side) {
    RgbImage image = Thumbnails.shrunk(cell.image(), 2 * side);
    int longer = Math.max(image.width(), image.height());
    int width = Math.max(1, image.width() * side / longer);
    int height = Math.max(1, image.height() * side / longer);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION,
        longer < side
            ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
            : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(
        Thumbnails.buffered(image),
        left + (side - width) / 2,
        top + (side - height) / 2,
        width,
        height,
        null);
    graphics.drawString(
        Charts.fitting(cell.caption(), side, graphics.getFontMetrics()), left, top + side + 12);
  }
}
