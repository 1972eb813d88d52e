package dev.tessera.report;

import java.awt.Color;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Points in the plane, such as embeddings after a projection, in a colour for each group. */
public final class ScatterMap {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 680;

  /** Names beyond these would leave no room for the points. */
  private static final int MOST_NAMED = 30;

  private static final int NAME_LENGTH = 28;

  /**
   * Points of one colour.
   *
   * @param name for the legend
   * @param x one for each point
   * @param y one for each point
   */
  public record Group(String name, double[] x, double[] y) {
    public Group {
      if (x.length != y.length) {
        throw new IllegalArgumentException(x.length + " points have " + y.length + " heights");
      }
    }
  }

  private ScatterMap() {}

  /**
   * The picture as PNG; axes have no numbers, because a projection's units mean nothing. Groups
   * without points are left out, and so is the legend of very many groups.
   *
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(String title, List<Group> groups, Theme theme) {
    XYChart chart = new XYChart(WIDTH, HEIGHT);
    Charts.style(chart.getStyler(), theme);
    chart.setTitle(title);
    chart.getStyler().setChartTitleVisible(!title.isEmpty());
    chart.getStyler().setDefaultSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
    chart.getStyler().setAxisTitlesVisible(false);
    chart.getStyler().setAxisTicksVisible(false);
    chart.getStyler().setPlotGridLinesVisible(false);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setLegendVisible(groups.size() > 1 && groups.size() <= MOST_NAMED);
    int points = groups.stream().mapToInt(group -> group.x().length).sum();
    chart.getStyler().setMarkerSize(points > 5000 ? 3 : points > 800 ? 4 : 7);
    for (int i = 0; i < groups.size(); i++) {
      Group group = groups.get(i);
      if (group.x().length == 0) {
        continue;
      }
      // XChart refuses two series of one name; the number makes them differ.
      XYSeries series = chart.addSeries(i + " " + group.name(), group.x(), group.y());
      series.setLabel(shortened(group.name()));
      series.setMarker(SeriesMarkers.CIRCLE);
      Color color = theme.series(i, groups.size());
      series.setMarkerColor(new Color(color.getRed(), color.getGreen(), color.getBlue(), 190));
    }
    return Charts.png(List.of(chart), WIDTH, HEIGHT, theme);
  }

  private static String shortened(String name) {
    return name.codePointCount(0, name.length()) <= NAME_LENGTH
        ? name
        : name.substring(0, name.offsetByCodePoints(0, NAME_LENGTH - 1)) + "…";
  }
}
