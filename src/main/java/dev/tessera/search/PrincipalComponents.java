package dev.tessera.search;

import java.util.Random;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The directions in which vectors differ most (principal component analysis), to draw them in a
 * plane. Eigenvectors of the covariance by orthogonal iteration.
 *
 * @param mean of the vectors
 * @param directions of length 1, at right angles, the one of the largest variance first
 * @param shares how much of the whole variance lies in each direction, 0 to 1
 */
public record PrincipalComponents(double[] mean, double[][] directions, double[] shares) {
  /** Vectors that the directions are computed from: more change little. */
  private static final int SAMPLE = 20_000;

  private static final int MOST_ITERATIONS = 500;

  /**
   * The first {@code count} directions of {@code rows}.
   *
   * @param accepted which rows count; null for all
   */
  public static PrincipalComponents of(Rows rows, int count, @Nullable IntPredicate accepted) {
    int n = rows.dimensions();
    int step = Math.max(1, rows.count() / SAMPLE);
    double[] mean = new double[n];
    int vectors = 0;
    for (int row = 0; row < rows.count(); row += step) {
      if (accepted == null || accepted.test(row)) {
        float[] vector = rows.get(row);
        for (int i = 0; i < n; i++) {
          mean[i] += vector[i];
        }
        vectors++;
      }
    }
    for (int i = 0; i < n && vectors > 0; i++) {
      mean[i] /= vectors;
    }
    double[][] covariance = new double[n][n];
    double[] difference = new double[n];
    for (int row = 0; row < rows.count(); row += step) {
      if (accepted == null || accepted.test(row)) {
        float[] vector = rows.get(row);
        for (int i = 0; i < n; i++) {
          difference[i] = vector[i] - mean[i];
        }
        for (int i = 0; i < n; i++) {
          double x = difference[i];
          double[] line = covariance[i];
          for (int j = 0; j <= i; j++) {
            line[j] += x * difference[j];
          }
        }
      }
    }
    double trace = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        covariance[i][j] /= Math.max(1, vectors);
        covariance[j][i] = covariance[i][j];
      }
      trace += covariance[i][i];
    }
    return eigenvectors(mean, covariance, Math.min(count, n), trace);
  }

  private static PrincipalComponents eigenvectors(
      double[] mean, double[][] covariance, int count, double trace) {
    int n = mean.length;
    Random random = new Random(1);
    double[][] directions = new double[count][n];
    for (double[] direction : directions) {
      for (int i = 0; i < n; i++) {
        direction[i] = random.nextGaussian();
      }
    }
    orthonormalize(directions);
    double[] values = new double[count];
    double before = -1;
    for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      double sum = 0;
      for (int d = 0; d < count; d++) {
        double[] product = new double[n];
        for (int i = 0; i < n; i++) {
          product[i] = dot(covariance[i], directions[d]);
        }
        values[d] = dot(product, directions[d]);
        sum += values[d];
        directions[d] = product;
      }
      orthonormalize(directions);
      if (Math.abs(sum - before) <= 1e-12 * Math.abs(sum)) {
        break;
      }
      before = sum;
    }
    double[] shares = new double[count];
    for (int d = 0; d < count; d++) {
      shares[d] = trace > 0 ? values[d] / trace : 0;
      turn(directions[d]);
    }
    return new PrincipalComponents(mean, directions, shares);
  }

  /** Gram and Schmidt's way, in the directions' order. */
  private static void orthonormalize(double[][] directions) {
    for (int d = 0; d < directions.length; d++) {
      for (int other = 0; other < d; other++) {
        double overlap = dot(directions[d], directions[other]);
        for (int i = 0; i < directions[d].length; i++) {
          directions[d][i] -= overlap * directions[other][i];
        }
      }
      double length = Math.sqrt(dot(directions[d], directions[d]));
      for (int i = 0; i < directions[d].length; i++) {
        directions[d][i] = length > 1e-300 ? directions[d][i] / length : i == d ? 1 : 0;
      }
    }
  }

  /** A direction and its opposite are equally good: the largest number is to be positive. */
  private static void turn(double[] direction) {
    double largest = 0;
    for (double x : direction) {
      largest = Math.abs(x) > Math.abs(largest) ? x : largest;
    }
    for (int i = 0; i < direction.length && largest < 0; i++) {
      direction[i] = -direction[i];
    }
  }

  private static double dot(double[] one, double[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += one[i] * other[i];
    }
    return sum;
  }

  /** Where a vector lies along each direction. */
  public double[] project(float[] vector) {
    double[] place = new double[directions.length];
    for (int d = 0; d < place.length; d++) {
      for (int i = 0; i < vector.length; i++) {
        place[d] += (vector[i] - mean[i]) * directions[d][i];
      }
    }
    return place;
  }
}
