package dev.tessera.bench;

import ai.onnxruntime.OrtException;
import java.util.Arrays;
import java.util.Locale;

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

  /** One side of a comparison. */
  @FunctionalInterface
  interface Contestant {
    void run() throws OrtException;
  }

  /**
   * Milliseconds of both in {@code rounds} rounds, after each has run {@code warmUp} seconds
   * unmeasured. Who goes first changes with every round.
   */
  static PairedTimes measure(Contestant ours, Contestant theirs, double warmUp, int rounds)
      throws OrtException {
    warmUp(ours, warmUp);
    warmUp(theirs, warmUp);
    double[] ourTimes = new double[rounds];
    double[] theirTimes = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      if (round % 2 == 0) {
        ourTimes[round] = milliseconds(ours);
        theirTimes[round] = milliseconds(theirs);
      } else {
        theirTimes[round] = milliseconds(theirs);
        ourTimes[round] = milliseconds(ours);
      }
    }
    return new PairedTimes(ourTimes, theirTimes);
  }

  private static void warmUp(Contestant contestant, double seconds) throws OrtException {
    long start = System.nanoTime();
    do {
      contestant.run();
    } while (System.nanoTime() - start < seconds * 1e9);
  }

  private static double milliseconds(Contestant contestant) throws OrtException {
    long start = System.nanoTime();
    contestant.run();
    return (System.nanoTime() - start) / 1e6;
  }

  /** Median and best of both, the ratio of the medians, and how the rounds' ratios spread. */
  String columns() {
    return String.format(
        Locale.ROOT,
        "%7.1f %7.1f   %7.1f %7.1f      %5.3f           %5.3f [%.3f-%.3f] (%.3f-%.3f)",
        ours(),
        oursAtBest(),
        theirs(),
        theirsAtBest(),
        ratio(),
        ratioQuantile(0.5),
        ratioQuantile(0.25),
        ratioQuantile(0.75),
        ratioQuantile(0),
        ratioQuantile(1));
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
