package dev.tessera.report;

import java.awt.BasicStroke;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** How a training went: loss, accuracy and learning rate over epochs, below each other. */
public final class TrainingCurves {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 260;

  /** Up to so many measurements each gets a dot, so that a single one can be seen. */
  private static final int MARKED = 40;

  /**
   * What was measured at one moment; NaN where it was not.
   *
   * @param epoch passes over the data so far, possibly a fraction
   * @param trainLoss mean over the images since the last point
   * @param validationLoss mean over the validation images
   * @param trainAccuracy 0 to 1
   * @param validationAccuracy 0 to 1
   */
  public record Point(
      double epoch,
      double trainLoss,
      double validationLoss,
      double trainAccuracy,
      double validationAccuracy,
      double learningRate) {}

  private record Curve(String name, ToDoubleFunction<Point> value) {}

  private TrainingCurves() {}

  /**
   * The picture as PNG. A panel without a single value is left out; with no value at all the loss
   * is shown empty.
   *
   * @param points in the order of their epochs
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(String title, List<Point> points, Theme theme) {
    List<XYChart> charts = new ArrayList<>();
    add(
        charts,
        theme,
        "loss",
        points,
        new Curve("training", Point::trainLoss),
        new Curve("validation", Point::validationLoss));
    add(
        charts,
        theme,
        "accuracy, %",
        points,
        new Curve("training", point -> 100 * point.trainAccuracy()),
        new Curve("validation", point -> 100 * point.validationAccuracy()));
    add(charts, theme, "learning rate", points, new Curve("learning rate", Point::learningRate));
    for (XYChart chart : charts) {
      // Accuracy climbs into the corner that loss leaves free.
      chart
          .getStyler()
          .setLegendPosition(
              chart.getYAxisTitle().startsWith("accuracy")
                  ? LegendPosition.InsideSE
                  : LegendPosition.InsideNE);
    }
    if (charts.isEmpty()) {
      charts.add(chart(theme, "loss"));
    }
    charts.getFirst().setTitle(title);
    charts.getFirst().getStyler().setChartTitleVisible(!title.isEmpty());
    charts.getLast().setXAxisTitle("epoch");
    charts.getLast().getStyler().setXAxisTitleVisible(true);
    alignX(charts, points);
    return Charts.png(charts, WIDTH, HEIGHT, theme);
  }

  private static void add(
      List<XYChart> charts, Theme theme, String axis, List<Point> points, Curve... curves) {
    XYChart chart = chart(theme, axis);
    for (int i = 0; i < curves.length; i++) {
      ToDoubleFunction<Point> value = curves[i].value();
      List<Point> measured =
          points.stream().filter(point -> Double.isFinite(value.applyAsDouble(point))).toList();
      if (measured.isEmpty()) {
        continue;
      }
      XYSeries series =
          chart.addSeries(
              curves[i].name(),
              measured.stream().mapToDouble(Point::epoch).toArray(),
              measured.stream().mapToDouble(value).toArray());
      series.setMarker(measured.size() <= MARKED ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
      series.setLineColor(theme.series(i, 2));
      series.setMarkerColor(theme.series(i, 2));
      series.setLineStyle(new BasicStroke(2, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    }
    if (!chart.getSeriesCollection().isEmpty()) {
      chart.getStyler().setLegendVisible(curves.length > 1);
      charts.add(chart);
    }
  }

  private static XYChart chart(Theme theme, String axis) {
    XYChart chart = new XYChart(WIDTH, HEIGHT);
    Charts.style(chart.getStyler(), theme);
    chart.setYAxisTitle(axis);
    chart.getStyler().setChartTitleVisible(false);
    chart.getStyler().setXAxisTitleVisible(false);
    chart.getStyler().setMarkerSize(5);
    chart.getStyler().setYAxisTickLabelsFormattingFunction(TrainingCurves::number);
    // Equal widths, so that the panels' epochs stand below each other.
    chart.getStyler().setYAxisLeftWidthHint(70);
    return chart;
  }

  /** Three digits that count: learning rates are small. */
  private static String number(double value) {
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(3)).stripTrailingZeros();
    return value == 0 ? "0" : Math.abs(value) < 1e-5 ? rounded.toString() : rounded.toPlainString();
  }

  private static void alignX(List<XYChart> charts, List<Point> points) {
    double first = points.stream().mapToDouble(Point::epoch).min().orElse(0);
    double last = points.stream().mapToDouble(Point::epoch).max().orElse(1);
    for (XYChart chart : charts) {
      chart.getStyler().setXAxisMin(Math.min(first, last - 1e-6));
      chart.getStyler().setXAxisMax(last);
    }
  }
}
