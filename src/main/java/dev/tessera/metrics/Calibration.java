package dev.tessera.metrics;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether a classifier is right as often as it says: answers in bins of equal width by the
 * probability of the best class (Guo et al., On Calibration of Modern Neural Networks,
 * arXiv:1706.04599, equations 2, 3 and 5). Bin m of M holds probabilities in ((m - 1) / M, m / M];
 * 0 falls into the first.
 */
public final class Calibration {
  /** As in the paper. */
  public static final int BINS = 15;

  /**
   * One bin.
   *
   * @param low probabilities above
   * @param high and up to here
   * @param count answers in it
   * @param confidence their mean probability; NaN of none
   * @param accuracy how many of them are right, 0 to 1; NaN of none
   */
  public record Bin(double low, double high, long count, double confidence, double accuracy) {}

  private final long[] counts;
  private final long[] correct;
  private final double[] confidences;
  private long total;

  /** With {@value #BINS} bins. */
  public Calibration() {
    this(BINS);
  }

  public Calibration(int bins) {
    this.counts = new long[bins];
    this.correct = new long[bins];
    this.confidences = new double[bins];
  }

  /**
   * Counts one answer.
   *
   * @param confidence probability of the best class, 0 to 1
   * @param right whether that is the right one
   */
  public void add(double confidence, boolean right) {
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new IllegalArgumentException("a probability of " + confidence);
    }
    int bin = Math.clamp((int) Math.ceil(confidence * counts.length) - 1, 0, counts.length - 1);
    counts[bin]++;
    correct[bin] += right ? 1 : 0;
    confidences[bin] += confidence;
    total++;
  }

  /** All bins, from low probabilities to high ones. */
  public List<Bin> bins() {
    List<Bin> bins = new ArrayList<>();
    for (int i = 0; i < counts.length; i++) {
      bins.add(
          new Bin(
              (double) i / counts.length,
              (i + 1.0) / counts.length,
              counts[i],
              confidences[i] / counts[i],
              (double) correct[i] / counts[i]));
    }
    return bins;
  }

  /** Expected calibration error: the gap of a bin, averaged over answers. 0 of none. */
  public double expectedError() {
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += Math.abs(correct[i] - confidences[i]);
    }
    return total == 0 ? 0 : sum / total;
  }

  /** Maximum calibration error: the largest gap of a bin between confidence and accuracy. */
  public double maximumError() {
    double most = 0;
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        most = Math.max(most, Math.abs(correct[i] - confidences[i]) / counts[i]);
      }
    }
    return most;
  }

  /** Mean probability of the best class; 0 of no answers. */
  public double confidence() {
    double sum = 0;
    for (double confidence : confidences) {
      sum += confidence;
    }
    return total == 0 ? 0 : sum / total;
  }
}
