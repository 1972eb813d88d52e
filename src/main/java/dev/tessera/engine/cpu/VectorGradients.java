package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * The gradients' kernels in the Vector API. They have no plain form as {@link VectorKernels} have:
 * a training runs long enough for the JIT.
 */
final class VectorGradients {
  private VectorGradients() {}

  /** {@code output = gradient · activation′(x)} for elements {@code from} to {@code end}. */
  static void activate(
      Activation activation, float[] x, float[] gradient, float[] output, int from, int end) {
    for (int i = from; i < end; i += WIDTH) {
      FloatVector slope = VectorMath.derivative(activation, load(x, i, end));
      store(slope.mul(load(gradient, i, end)), output, i, end);
    }
  }

  /** {@code target += x[from…]}, {@code count} elements from the start of {@code target} on. */
  static void addTo(float[] target, int at, float[] x, int from, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      FloatVector sum = load(target, at + i, at + count).add(load(x, from + i, from + count));
      store(sum, target, at + i, at + count);
    }
  }

  /** The sum of the squares of elements {@code from} to {@code end}. */
  static double squares(float[] x, int from, int end) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = from; i < end; i += WIDTH) {
      FloatVector v = load(x, i, end);
      sum = v.fma(v, sum);
    }
    return total(sum);
  }

  /**
   * Rows {@code first} to {@code end} of the gradient of layer normalisation, see {@link
   * dev.tessera.graph.GradientOp.LayerNorm}.
   *
   * @param sums to which the gradients by weight, then by bias, are added: twice a row's length,
   *     from {@code at} on
   */
  static void layerNorm(
      float[] x,
      float[] weight,
      float[] gradient,
      float @Nullable [] residual,
      float epsilon,
      float[] output,
      int first,
      int end,
      float[] sums,
      int at) {
    int width = weight.length;
    for (int row = first; row < end; row++) {
      int from = row * width;
      int to = from + width;
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = from; i < to; i += WIDTH) {
        sum = sum.add(load(x, i, to));
      }
      double exactMean = total(sum) / width;
      float mean = (float) exactMean;
      // x − mean is exact where x is near the mean; what the rounded mean lacks would not be small
      // beside a small variance.
      float rest = (float) (exactMean - mean);
      FloatVector squares = FloatVector.zero(SPECIES);
      for (int i = from; i < to; i += WIDTH) {
        FloatVector d = deviation(x, i, to, mean, rest);
        squares = d.fma(d, squares);
      }
      float inverse = (float) (1 / Math.sqrt(total(squares) / width + epsilon));
      FloatVector pulls = FloatVector.zero(SPECIES);
      FloatVector products = FloatVector.zero(SPECIES);
      for (int i = from, j = 0; i < to; i += WIDTH, j += WIDTH) {
        FloatVector normal = deviation(x, i, to, mean, rest).mul(inverse);
        FloatVector g = load(gradient, i, to);
        FloatVector h = g.mul(load(weight, j, width));
        pulls = pulls.add(h);
        products = h.fma(normal, products);
        int byWeight = at + j;
        int byBias = byWeight + width;
        store(g.fma(normal, load(sums, byWeight, at + width)), sums, byWeight, at + width);
        store(g.add(load(sums, byBias, at + 2 * width)), sums, byBias, at + 2 * width);
      }
      double exactPull = total(pulls) / width;
      float pull = (float) exactPull;
      float pullRest = (float) (exactPull - pull);
      FloatVector product = FloatVector.broadcast(SPECIES, (float) (total(products) / width));
      for (int i = from, j = 0; i < to; i += WIDTH, j += WIDTH) {
        FloatVector normal = deviation(x, i, to, mean, rest).mul(inverse);
        FloatVector away = FloatVector.broadcast(SPECIES, -pull);
        FloatVector d = load(gradient, i, to).fma(load(weight, j, width), away).sub(pullRest);
        d = normal.neg().fma(product, d).mul(inverse);
        store(residual == null ? d : d.add(load(residual, i, to)), output, i, to);
      }
    }
  }

  /** {@code x − mean}; 0 in the lanes past the row's end. */
  private static FloatVector deviation(float[] x, int i, int end, float mean, float rest) {
    if (i + WIDTH <= end) {
      return FloatVector.fromArray(SPECIES, x, i).sub(mean).sub(rest);
    }
    VectorMask<Float> inside = SPECIES.indexInRange(i, end);
    return FloatVector.fromArray(SPECIES, x, i, inside).sub(mean, inside).sub(rest, inside);
  }

  /**
   * Softmax and its gradient down the columns of {@code [keys][COLUMNS]} scores.
   *
   * @param scores not yet scaled; overwritten
   * @param scale of the scores
   * @param gradients of the probabilities, {@code [keys][COLUMNS]}
   * @param panel address for the gradients of the scores, {@code [keys][COLUMNS]}
   * @param rows for each column from {@code at} on what {@link #probabilities} needs
   */
  static void softmax(
      float[] scores,
      float scale,
      float[] gradients,
      int keys,
      long panel,
      SoftmaxRows rows,
      int at) {
    for (int lane = 0; lane < COLUMNS; lane += WIDTH) {
      FloatVector max = FloatVector.fromArray(SPECIES, scores, lane);
      for (int k = 1; k < keys; k++) {
        max = max.max(FloatVector.fromArray(SPECIES, scores, k * COLUMNS + lane));
      }
      max = max.mul(scale);
      FloatVector sum = FloatVector.zero(SPECIES);
      FloatVector product = FloatVector.zero(SPECIES);
      for (int k = 0; k < keys; k++) {
        int i = k * COLUMNS + lane;
        FloatVector score = FloatVector.fromArray(SPECIES, scores, i).mul(scale);
        FloatVector p = VectorMath.exp(score.sub(max));
        sum = sum.add(p);
        product = p.fma(FloatVector.fromArray(SPECIES, gradients, i), product);
        p.intoArray(scores, i);
      }
      FloatVector inverse = FloatVector.broadcast(SPECIES, 1f).div(sum);
      FloatVector mean = product.mul(inverse);
      // The gradients of a softmax sum to 0. What a sum over many keys has lost of the mean would
      // stand in its place, so it is measured and added.
      FloatVector lost = FloatVector.zero(SPECIES);
      for (int k = 0; k < keys; k++) {
        int i = k * COLUMNS + lane;
        FloatVector g = FloatVector.fromArray(SPECIES, gradients, i).sub(mean);
        lost = FloatVector.fromArray(SPECIES, scores, i).fma(g, lost);
      }
      mean = lost.fma(inverse, mean);
      for (int k = 0; k < keys; k++) {
        int i = k * COLUMNS + lane;
        FloatVector p = FloatVector.fromArray(SPECIES, scores, i).mul(inverse);
        FloatVector g = FloatVector.fromArray(SPECIES, gradients, i).sub(mean);
        NativeFloats.store(p.mul(g), panel + (long) i * Float.BYTES);
      }
      max.intoArray(rows.max(), at + lane);
      inverse.intoArray(rows.inverse(), at + lane);
      mean.intoArray(rows.mean(), at + lane);
    }
  }

  /**
   * What softmax over a query's keys found: the greatest score, one over the sum of the
   * exponentials, and the mean of the probabilities' gradients, weighted with the probabilities.
   */
  record SoftmaxRows(float[] max, float[] inverse, float[] mean) {
    SoftmaxRows(int rows) {
      this(new float[rows], new float[rows], new float[rows]);
    }
  }

  /**
   * Probabilities and gradients of the scores for a panel of keys, {@code [queries][COLUMNS]}, from
   * scores, not yet scaled, and gradients of the probabilities of that shape. They round as {@link
   * #softmax} does, so that a query's gradients of scores sum to 0 as nearly there as here.
   */
  static void probabilities(
      float[] scores,
      float scale,
      float[] gradients,
      int queries,
      SoftmaxRows rows,
      long probabilities,
      long scoreGradients) {
    for (int q = 0; q < queries; q++) {
      float max = rows.max()[q];
      float inverse = rows.inverse()[q];
      float mean = rows.mean()[q];
      for (int i = q * COLUMNS; i < (q + 1) * COLUMNS; i += WIDTH) {
        FloatVector s = FloatVector.fromArray(SPECIES, scores, i).mul(scale).sub(max);
        FloatVector p = VectorMath.exp(s).mul(inverse);
        FloatVector g = FloatVector.fromArray(SPECIES, gradients, i).sub(mean);
        NativeFloats.store(p, probabilities + (long) i * Float.BYTES);
        NativeFloats.store(p.mul(g), scoreGradients + (long) i * Float.BYTES);
      }
    }
  }

  /** {@code ln Σ exp} of elements {@code from} to {@code end}. */
  static double logSumExp(float[] x, int from, int end) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < end; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    int i = from;
    for (; i + WIDTH <= end; i += WIDTH) {
      sum += total(VectorMath.exp(FloatVector.fromArray(SPECIES, x, i).sub(max)));
    }
    for (; i < end; i++) {
      sum += Math.exp(x[i] - max);
    }
    return max + Math.log(sum);
  }

  /** {@code output = factor·exp(x − shift)} for elements {@code from} to {@code end}. */
  static void exponentials(
      float[] x, float shift, float factor, float[] output, int from, int end) {
    for (int i = from; i < end; i += WIDTH) {
      store(VectorMath.exp(load(x, i, end).sub(shift)).mul(factor), output, i, end);
    }
  }

  /** Elements {@code i} on; 0 in the lanes past {@code end}. */
  static FloatVector load(float[] x, int i, int end) {
    return i + WIDTH <= end
        ? FloatVector.fromArray(SPECIES, x, i)
        : FloatVector.fromArray(SPECIES, x, i, SPECIES.indexInRange(i, end));
  }

  static void store(FloatVector vector, float[] x, int i, int end) {
    if (i + WIDTH <= end) {
      vector.intoArray(x, i);
    } else {
      vector.intoArray(x, i, SPECIES.indexInRange(i, end));
    }
  }

  /** The sum of the lanes, first to last: {@code reduceLanes} leaves the order open. */
  private static double total(FloatVector sums) {
    double total = 0;
    for (int lane = 0; lane < WIDTH; lane++) {
      total += sums.lane(lane);
    }
    return total;
  }
}
