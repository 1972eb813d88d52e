package dev.tessera.bench;

import java.util.Arrays;

/**
 * What two contestants took, measured in turns: their medians, and how the ratio of one turn to the
 * turn beside it spreads. What disturbs the machine disturbs both turns of a pair, so the ratios
 * spread less than the times do.
 */
final class PairedTimes {
  private final double[] ours;
  private final double[] theirs;

  /** Seconds or any other unit, one element for each round. */
  PairedTimes(double[] ours, double[] theirs) {
    this.ours = ours.clone();
    this.theirs = theirs.clone();
  }

  double ours() {
    return median(ours);
  }

  double theirs() {
    return median(theirs);
  }

  /** The fastest of ours: the one that was disturbed least. */
  double oursAtBest() {
    return quantile(ours, 0);
  }

  double theirsAtBest() {
    return quantile(theirs, 0);
  }

  /** How many times as fast we are, by the medians; above 1 we are ahead. */
  double ratio() {
    return theirs() / ours();
  }

  /** Quantile q of the ratios within each round. */
  double ratioQuantile(double q) {
    double[] ratios = new double[ours.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = theirs[i] / ours[i];
    }
    return quantile(ratios, q);
  }

  static double median(double[] values) {
    return quantile(values, 0.5);
  }

  /** Linear interpolation between the order statistics around position q·(n − 1). */
  static double quantile(double[] values, double q) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double position = q * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
