package dev.tessera.report;

import java.awt.Color;
import java.util.List;
import java.util.stream.IntStream;

/** The colours of a picture, for a page's light and dark mode. */
public enum Theme {
  LIGHT(0xffffff, 0x1f2328, 0x6a737d, 0xdfe3e8, 0x8a939d, 0x6baed6),
  DARK(0x16191d, 0xe6e8eb, 0x9aa4af, 0x2d333b, 0x6b7580, 0x2c6fa3);

  /**
   * The palette of Okabe and Ito, which people with any colour vision can tell apart, without its
   * yellow and its black; lighter on a dark ground.
   */
  private static final List<Color> ON_LIGHT =
      colors(0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9);

  private static final List<Color> ON_DARK =
      colors(0x4aa8e8, 0xff8a3d, 0x2ec99b, 0xe39cc4, 0xf5b82e, 0x8fd0f5);

  private final Color background;
  private final Color foreground;
  private final Color muted;
  private final Color grid;
  private final Color reference;
  private final Color strong;

  Theme(int background, int foreground, int muted, int grid, int reference, int strong) {
    this.background = new Color(background);
    this.foreground = new Color(foreground);
    this.muted = new Color(muted);
    this.grid = new Color(grid);
    this.reference = new Color(reference);
    this.strong = new Color(strong);
  }

  Color background() {
    return background;
  }

  /** Of text. */
  Color foreground() {
    return foreground;
  }

  /** Of text that matters less. */
  Color muted() {
    return muted;
  }

  Color grid() {
    return grid;
  }

  /** Of lines to compare with. */
  Color reference() {
    return reference;
  }

  /** Where a heat map is hottest; the foreground stays readable on it. */
  Color strong() {
    return strong;
  }

  /** The colour of series {@code index} of {@code count}; many get hues far apart. */
  Color series(int index, int count) {
    boolean light = this == LIGHT;
    List<Color> palette = light ? ON_LIGHT : ON_DARK;
    if (count <= palette.size()) {
      return palette.get(index);
    }
    boolean bright = index % 2 == 0;
    return Color.getHSBColor(
        (float) index / count,
        light ? 0.85f : 0.6f,
        light ? (bright ? 0.75f : 0.5f) : (bright ? 0.95f : 0.75f));
  }

  private static List<Color> colors(int... rgb) {
    return IntStream.of(rgb).mapToObj(Color::new).toList();
  }
}
