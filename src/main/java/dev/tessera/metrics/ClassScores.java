package dev.tessera.metrics;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What is known of one class, as {@code precision_recall_fscore_support} of scikit-learn defines
 * it; a ratio of nothing to nothing is 0.
 *
 * @param index of the class
 * @param correct images of this class that were recognised
 * @param predicted images that were taken for this class
 * @param support images of this class
 */
public record ClassScores(int index, long correct, long predicted, long support) {
  /** Of the images taken for this class, how many belong to it. */
  public double precision() {
    return ratio(correct, predicted);
  }

  /** Of the images of this class, how many were recognised. */
  public double recall() {
    return ratio(correct, support);
  }

  /** The harmonic mean of precision and recall. */
  public double f1() {
    return ratio(2 * correct, predicted + support);
  }

  /** The plain mean of a score over classes; 0 of none. */
  public static double macro(List<ClassScores> classes, ToDoubleFunction<ClassScores> score) {
    return classes.stream().mapToDouble(score).average().orElse(0);
  }

  /** The mean of a score over images: every class counts as often as it occurs. */
  public static double weighted(List<ClassScores> classes, ToDoubleFunction<ClassScores> score) {
    double sum = 0;
    long images = 0;
    for (ClassScores one : classes) {
      sum += one.support() * score.applyAsDouble(one);
      images += one.support();
    }
    return images == 0 ? 0 : sum / images;
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
