package dev.tessera.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How many images each class has, and what to do about it.
 *
 * @param counts one for each of {@code classes}
 */
public record ClassBalance(List<String> classes, int[] counts) {
  /** How much more a rare class counts in the loss. */
  public enum Weighting {
    /** Every image alike. */
    NONE,
    /** Every class alike: a weight in inverse proportion to the class's images. */
    BALANCED,
    /** Between the two: the square root of that. */
    SQRT;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public ClassBalance {
    classes = List.copyOf(classes);
  }

  public static ClassBalance of(LabelledImages images) {
    return new ClassBalance(images.classes(), images.counts());
  }

  /** Images of the largest class for one of the smallest that has any; 1 is balanced. */
  public double ratio() {
    int most = Arrays.stream(counts).max().orElse(0);
    int least = Arrays.stream(counts).filter(count -> count > 0).min().orElse(0);
    return least == 0 ? 1 : (double) most / least;
  }

  /**
   * A weight for each class, whose mean over the images is 1; 0 for a class without images unless
   * all weigh the same.
   */
  public float[] weights(Weighting weighting) {
    double[] raw = new double[counts.length];
    double sum = 0;
    long total = 0;
    for (int c = 0; c < counts.length; c++) {
      raw[c] =
          switch (weighting) {
            case NONE -> 1;
            case BALANCED -> counts[c] == 0 ? 0 : 1.0 / counts[c];
            case SQRT -> counts[c] == 0 ? 0 : 1 / Math.sqrt(counts[c]);
          };
      sum += raw[c] * counts[c];
      total += counts[c];
    }
    float[] weights = new float[counts.length];
    for (int c = 0; c < counts.length; c++) {
      weights[c] = (float) (raw[c] * total / sum);
    }
    return weights;
  }

  /** A table for people, one class a line: its name, its images, its share. */
  public List<String> lines() {
    int width = classes.stream().mapToInt(String::length).max().orElse(0);
    long total = Math.max(1, Arrays.stream(counts).asLongStream().sum());
    List<String> lines = new ArrayList<>();
    for (int c = 0; c < counts.length; c++) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%-" + Math.max(1, width) + "s %,9d %6.1f %%",
              classes.get(c),
              counts[c],
              100.0 * counts[c] / total));
    }
    return lines;
  }
}
