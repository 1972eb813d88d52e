package dev.tessera.engine;

import dev.tessera.graph.Op;

/**
 * {@link Op.ResizePositions}: separable bicubic interpolation of a grid of vectors, with the sample
 * positions, border handling and coefficients of torch's {@code upsample_bicubic2d} and {@code
 * _upsample_bicubic2d_aa}. Engines run it once, when they compile a graph.
 */
public final class BicubicGrid {
  private BicubicGrid() {}

  /** The taps of one output position: {@code weights[i]} belongs to input {@code indices[i]}. */
  private record Taps(int[] indices, double[] weights) {}

  /** The resized grid, {@code [toRows·toColumns, hidden]}. */
  public static float[] resize(Op.ResizePositions op, float[] grid) {
    int hidden = op.input().shape().last();
    Taps[] vertical = taps(op.fromRows(), op.toRows(), op.antialias());
    Taps[] horizontal = taps(op.fromColumns(), op.toColumns(), op.antialias());
    float[] out = new float[op.toRows() * op.toColumns() * hidden];
    for (int row = 0; row < op.toRows(); row++) {
      for (int column = 0; column < op.toColumns(); column++) {
        int to = (row * op.toColumns() + column) * hidden;
        for (int c = 0; c < hidden; c++) {
          out[to + c] =
              (float) sample(grid, c, op.fromColumns(), hidden, vertical[row], horizontal[column]);
        }
      }
    }
    return out;
  }

  /** The gradient by the grid, {@code [fromRows·fromColumns, hidden]}, of the resized one's. */
  public static float[] transposed(Op.ResizePositions op, float[] gradient) {
    int hidden = op.input().shape().last();
    Taps[] vertical = taps(op.fromRows(), op.toRows(), op.antialias());
    Taps[] horizontal = taps(op.fromColumns(), op.toColumns(), op.antialias());
    double[] sums = new double[op.fromRows() * op.fromColumns() * hidden];
    for (int row = 0; row < op.toRows(); row++) {
      for (int column = 0; column < op.toColumns(); column++) {
        int from = (row * op.toColumns() + column) * hidden;
        spread(gradient, from, hidden, vertical[row], horizontal[column], op.fromColumns(), sums);
      }
    }
    float[] grid = new float[sums.length];
    for (int i = 0; i < grid.length; i++) {
      grid[i] = (float) sums[i];
    }
    return grid;
  }

  private static void spread(
      float[] gradient,
      int from,
      int hidden,
      Taps vertical,
      Taps horizontal,
      int columns,
      double[] sums) {
    for (int i = 0; i < vertical.indices.length; i++) {
      for (int j = 0; j < horizontal.indices.length; j++) {
        int to = (vertical.indices[i] * columns + horizontal.indices[j]) * hidden;
        double weight = vertical.weights[i] * horizontal.weights[j];
        for (int c = 0; c < hidden; c++) {
          sums[to + c] += weight * gradient[from + c];
        }
      }
    }
  }

  private static double sample(
      float[] grid, int channel, int columns, int hidden, Taps vertical, Taps horizontal) {
    double sum = 0;
    for (int i = 0; i < vertical.indices.length; i++) {
      double line = 0;
      for (int j = 0; j < horizontal.indices.length; j++) {
        int from = (vertical.indices[i] * columns + horizontal.indices[j]) * hidden + channel;
        line += horizontal.weights[j] * grid[from];
      }
      sum += vertical.weights[i] * line;
    }
    return sum;
  }

  private static Taps[] taps(int from, int to, boolean antialias) {
    Taps[] taps = new Taps[to];
    double scale = (double) from / to;
    for (int i = 0; i < to; i++) {
      taps[i] = antialias ? antialiased(from, scale, i) : interpolating(from, scale, i);
    }
    return taps;
  }

  /** Four neighbours; those beyond the border repeat the border. */
  private static Taps interpolating(int from, double scale, int position) {
    double centre = scale * (position + 0.5) - 0.5;
    int floor = (int) Math.floor(centre);
    int[] indices = new int[4];
    double[] weights = new double[4];
    for (int i = 0; i < 4; i++) {
      indices[i] = Math.clamp(floor - 1 + i, 0, from - 1);
      weights[i] = cubic(floor - 1 + i - centre, -0.75);
    }
    return new Taps(indices, weights);
  }

  /** All inputs within two output steps; weights are normalised, the border cuts the support. */
  private static Taps antialiased(int from, double scale, int position) {
    double stretch = Math.max(scale, 1);
    double centre = scale * (position + 0.5);
    int low = Math.max(0, (int) (centre - 2 * stretch + 0.5));
    int high = Math.min(from, (int) (centre + 2 * stretch + 0.5));
    int[] indices = new int[high - low];
    double[] weights = new double[high - low];
    double sum = 0;
    for (int i = 0; i < indices.length; i++) {
      indices[i] = low + i;
      weights[i] = cubic((low + i - centre + 0.5) / stretch, -0.5);
      sum += weights[i];
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return new Taps(indices, weights);
  }

  /** Keys' cubic convolution kernel (IEEE TASSP 29(6), 1981) with parameter {@code a}. */
  private static double cubic(double x, double a) {
    double d = Math.abs(x);
    if (d < 1) {
      return ((a + 2) * d - (a + 3)) * d * d + 1;
    }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  }
}
