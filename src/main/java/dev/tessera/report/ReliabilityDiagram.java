package dev.tessera.report;

import dev.tessera.metrics.Calibration;
import java.awt.BasicStroke;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * How often a classifier is right where it says a probability: on the diagonal it tells the truth,
 * below it is too sure of itself. Beneath, the share of images at each probability.
 */
public final class ReliabilityDiagram {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 420;

  private ReliabilityDiagram() {}

  /**
   * The picture as PNG.
   *
   * @throws PlotException where text cannot be drawn
   */
  public static byte[] png(Calibration calibration, Theme theme) {
    List<Calibration.Bin> filled =
        calibration.bins().stream().filter(bin -> bin.count() > 0).toList();
    long total = filled.stream().mapToLong(Calibration.Bin::count).sum();
    XYChart chart = new XYChart(WIDTH, HEIGHT);
    Charts.style(chart.getStyler(), theme);
    chart.setTitle(
        String.format(
            Locale.ROOT,
            "Reliability (expected calibration error %.1f %%)",
            100 * calibration.expectedError()));
    chart.setXAxisTitle("probability that the model gives, %");
    chart.setYAxisTitle("images, %");
    chart.getStyler().setXAxisMin(0.0);
    chart.getStyler().setXAxisMax(100.0);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setYAxisMax(100.0);
    chart.getStyler().setLegendPosition(LegendPosition.InsideNW);
    chart.getStyler().setMarkerSize(7);
    XYSeries diagonal = chart.addSeries("perfect", new double[] {0, 100}, new double[] {0, 100});
    diagonal.setMarker(SeriesMarkers.NONE);
    diagonal.setLineColor(theme.reference());
    diagonal.setLineStyle(
        new BasicStroke(
            1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 5}, 0));
    if (!filled.isEmpty()) {
      XYSeries shares =
          chart.addSeries(
              "share of images",
              filled.stream().mapToDouble(bin -> 50 * (bin.low() + bin.high())).toArray(),
              filled.stream().mapToDouble(bin -> 100.0 * bin.count() / total).toArray());
      shares.setMarker(SeriesMarkers.NONE);
      shares.setLineColor(theme.series(1, 2));
      shares.setLineStyle(new BasicStroke(1.5f));
      XYSeries accuracy =
          chart.addSeries(
              "right",
              filled.stream().mapToDouble(bin -> 100 * bin.confidence()).toArray(),
              filled.stream().mapToDouble(bin -> 100 * bin.accuracy()).toArray());
      accuracy.setMarker(SeriesMarkers.CIRCLE);
      accuracy.setLineColor(theme.series(0, 2));
      accuracy.setMarkerColor(theme.series(0, 2));
      accuracy.setLineStyle(new BasicStroke(2));
    }
    return Charts.png(List.of(chart), WIDTH, HEIGHT, theme);
  }
}
