package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * The gradients' kernels in the Vector API. They have no plain form as {@link VectorKernels} have:
 * a training runs long enough for the JIT.
 */
final class VectorGradients {
  /** Floats of a piece that two loops share. */
  private static final int PIECE = 512;

  private VectorGradients() {}

  /** {@code output = gradient · activation′(x)} for elements {@code from} to {@code end}. */
  static void activate(
      Activation activation, float[] x, float[] gradient, float[] output, int from, int end) {
    int whole = from + SPECIES.loopBound(end - from);
    if (activation == Activation.GELU) {
      gelu(x, gradient, output, from, whole);
    } else {
      for (int i = from; i < whole; i += WIDTH) {
        FloatVector slope = VectorMath.derivative(activation, FloatVector.fromArray(SPECIES, x, i));
        slope.mul(FloatVector.fromArray(SPECIES, gradient, i)).intoArray(output, i);
      }
    }
    if (whole < end) {
      rest(activation, x, gradient, output, whole, end);
    }
  }

  /** The elements after the last whole vector. */
  private static void rest(
      Activation activation, float[] x, float[] gradient, float[] output, int from, int end) {
    VectorMask<Float> inside = SPECIES.indexInRange(from, end);
    FloatVector slope =
        VectorMath.derivative(activation, FloatVector.fromArray(SPECIES, x, from, inside));
    slope
        .mul(FloatVector.fromArray(SPECIES, gradient, from, inside))
        .intoArray(output, from, inside);
  }

  /**
   * GELU's derivative Φ(x) + x·φ(x), in two loops over a piece that stays in the first-level cache:
   * one loop with erf and exp has more nodes than C2 inlines, and every vector would be an object.
   */
  private static void gelu(float[] x, float[] gradient, float[] output, int from, int end) {
    float[] distribution = new float[PIECE];
    for (int first = from; first < end; first += PIECE) {
      int count = Math.min(PIECE, end - first);
      distribution(x, first, distribution, count);
      density(x, first, distribution, gradient, output, count);
    }
  }

  private static void distribution(float[] x, int from, float[] distribution, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      VectorMath.normalDistribution(FloatVector.fromArray(SPECIES, x, from + i))
          .intoArray(distribution, i);
    }
  }

  private static void density(
      float[] x, int from, float[] distribution, float[] gradient, float[] output, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, from + i);
      v.fma(VectorMath.normalDensity(v), FloatVector.fromArray(SPECIES, distribution, i))
          .mul(FloatVector.fromArray(SPECIES, gradient, from + i))
          .intoArray(output, from + i);
    }
  }

  /** {@code target += x[from…]}, {@code count} elements from the start of {@code target} on. */
  static void addTo(float[] target, int at, float[] x, int from, int count) {
    int whole = SPECIES.loopBound(count);
    for (int i = 0; i < whole; i += WIDTH) {
      FloatVector.fromArray(SPECIES, target, at + i)
          .add(FloatVector.fromArray(SPECIES, x, from + i))
          .intoArray(target, at + i);
    }
    for (int i = whole; i < count; i++) {
      target[at + i] += x[from + i];
    }
  }

  /** The sum of the squares of elements {@code from} to {@code end}. */
  static double squares(float[] x, int from, int end) {
    int whole = from + SPECIES.loopBound(end - from);
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = from; i < whole; i += WIDTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, i);
      sum = v.fma(v, sum);
    }
    double total = total(sum, new float[WIDTH]);
    for (int i = whole; i < end; i++) {
      total += (double) x[i] * x[i];
    }
    return total;
  }

  /** {@code output = x / divisor} for elements {@code from} to {@code end}. */
  static void divide(float[] x, int from, int end, float divisor, float[] output) {
    int whole = from + SPECIES.loopBound(end - from);
    for (int i = from; i < whole; i += WIDTH) {
      FloatVector.fromArray(SPECIES, x, i).div(divisor).intoArray(output, i);
    }
    for (int i = whole; i < end; i++) {
      output[i] = x[i] / divisor;
    }
  }

  /**
   * Rows {@code first} to {@code end} of the gradient of layer normalisation, see {@link
   * dev.tessera.graph.GradientOp.LayerNorm}. A row is a whole number of vectors.
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
    float[] lanes = new float[WIDTH];
    for (int row = first; row < end; row++) {
      int from = row * width;
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = 0; i < width; i += WIDTH) {
        sum = FloatVector.fromArray(SPECIES, x, from + i).add(sum);
      }
      double exactMean = total(sum, lanes) / width;
      float mean = (float) exactMean;
      // x − mean is exact where x is near the mean; what the rounded mean lacks would not be small
      // beside a small variance.
      float rest = (float) (exactMean - mean);
      FloatVector squares = FloatVector.zero(SPECIES);
      for (int i = 0; i < width; i += WIDTH) {
        FloatVector d = FloatVector.fromArray(SPECIES, x, from + i).sub(mean).sub(rest);
        squares = d.fma(d, squares);
      }
      float inverse = (float) (1 / Math.sqrt(total(squares, lanes) / width + epsilon));
      FloatVector pulls = FloatVector.zero(SPECIES);
      FloatVector products = FloatVector.zero(SPECIES);
      for (int i = 0; i < width; i += WIDTH) {
        FloatVector normal =
            FloatVector.fromArray(SPECIES, x, from + i).sub(mean).sub(rest).mul(inverse);
        FloatVector g = FloatVector.fromArray(SPECIES, gradient, from + i);
        FloatVector h = g.mul(FloatVector.fromArray(SPECIES, weight, i));
        pulls = h.add(pulls);
        products = h.fma(normal, products);
        int byWeight = at + i;
        int byBias = byWeight + width;
        g.fma(normal, FloatVector.fromArray(SPECIES, sums, byWeight)).intoArray(sums, byWeight);
        g.add(FloatVector.fromArray(SPECIES, sums, byBias)).intoArray(sums, byBias);
      }
      double exactPull = total(pulls, lanes) / width;
      float pull = (float) exactPull;
      float pullRest = (float) (exactPull - pull);
      float product = (float) (total(products, lanes) / width);
      FloatVector away = FloatVector.broadcast(SPECIES, -pull);
      FloatVector across = FloatVector.broadcast(SPECIES, -product);
      for (int i = 0; i < width; i += WIDTH) {
        FloatVector normal =
            FloatVector.fromArray(SPECIES, x, from + i).sub(mean).sub(rest).mul(inverse);
        FloatVector d =
            FloatVector.fromArray(SPECIES, gradient, from + i)
                .fma(FloatVector.fromArray(SPECIES, weight, i), away)
                .sub(pullRest);
        d = normal.fma(across, d).mul(inverse);
        if (residual != null) { // in the same pass: it may share the output's array
          d = d.add(FloatVector.fromArray(SPECIES, residual, from + i));
        }
        d.intoArray(output, from + i);
      }
    }
  }

  /**
   * {@code exp(scale·(score − greatest of the row))}, in place.
   *
   * @param stride from one row to the next
   * @param width of a row, whole vectors
   */
  static void exponentials(float[] scores, int stride, int width, int rows, float scale) {
    for (int row = 0; row < rows; row++) {
      int from = row * stride;
      FloatVector greatest = FloatVector.fromArray(SPECIES, scores, from);
      for (int i = WIDTH; i < width; i += WIDTH) {
        greatest = FloatVector.fromArray(SPECIES, scores, from + i).max(greatest);
      }
      float max = greatest.reduceLanes(VectorOperators.MAX) * scale;
      for (int i = 0; i < width; i += WIDTH) {
        FloatVector score = FloatVector.fromArray(SPECIES, scores, from + i);
        VectorMath.exp(score.mul(scale).sub(max)).intoArray(scores, from + i);
      }
    }
  }

  /** Divides each row by its sum, in place; arguments as above. */
  static void normalize(float[] exponentials, int stride, int width, int rows) {
    float[] lanes = new float[WIDTH];
    for (int row = 0; row < rows; row++) {
      int from = row * stride;
      int end = from + width;
      float inverse = (float) (1 / sum(exponentials, from, end, lanes));
      for (int i = from; i < end; i += WIDTH) {
        FloatVector.fromArray(SPECIES, exponentials, i).mul(inverse).intoArray(exponentials, i);
      }
    }
  }

  /**
   * Softmax and its gradient along rows, in place. Apart from {@link #exponentials}, and its sums
   * from it, because C2 inlines only so much into one method.
   *
   * @param exponentials become probabilities
   * @param gradients of the probabilities, which become those of the scores before {@code scale}
   * @param stride from one row to the next
   * @param width of a row, whole vectors
   */
  static void softmax(
      float[] exponentials, float[] gradients, int stride, int width, int rows, float scale) {
    float[] lanes = new float[WIDTH];
    for (int row = 0; row < rows; row++) {
      int from = row * stride;
      int end = from + width;
      double total = sum(exponentials, from, end, lanes);
      float mean = (float) (product(exponentials, gradients, 0f, from, end, lanes) / total);
      // The gradients of a softmax sum to 0. What a sum over many keys has lost of the mean would
      // stand in its place, so it is measured and added.
      double lost = product(exponentials, gradients, mean, from, end, lanes) / total;
      float exactMean = (float) (mean + lost);
      float inverse = (float) (1 / total);
      for (int i = from; i < end; i += WIDTH) {
        FloatVector p = FloatVector.fromArray(SPECIES, exponentials, i).mul(inverse);
        FloatVector g = FloatVector.fromArray(SPECIES, gradients, i).sub(exactMean).mul(scale);
        p.intoArray(exponentials, i);
        p.mul(g).intoArray(gradients, i);
      }
    }
  }

  private static double sum(float[] x, int from, int end, float[] lanes) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = from; i < end; i += WIDTH) {
      sum = FloatVector.fromArray(SPECIES, x, i).add(sum);
    }
    return total(sum, lanes);
  }

  /** Σ x·(y − shift). */
  private static double product(
      float[] x, float[] y, float shift, int from, int end, float[] lanes) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = from; i < end; i += WIDTH) {
      FloatVector difference = FloatVector.fromArray(SPECIES, y, i).sub(shift);
      sum = FloatVector.fromArray(SPECIES, x, i).fma(difference, sum);
    }
    return total(sum, lanes);
  }

  /** {@code ln Σ exp} of elements {@code from} to {@code end}. */
  static double logSumExp(float[] x, int from, int end) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < end; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    float[] lanes = new float[WIDTH];
    int i = from;
    for (; i + WIDTH <= end; i += WIDTH) {
      sum += total(VectorMath.exp(FloatVector.fromArray(SPECIES, x, i).sub(max)), lanes);
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
  private static FloatVector load(float[] x, int i, int end) {
    return i + WIDTH <= end
        ? FloatVector.fromArray(SPECIES, x, i)
        : FloatVector.fromArray(SPECIES, x, i, SPECIES.indexInRange(i, end));
  }

  private static void store(FloatVector vector, float[] x, int i, int end) {
    if (i + WIDTH <= end) {
      vector.intoArray(x, i);
    } else {
      vector.intoArray(x, i, SPECIES.indexInRange(i, end));
    }
  }

  /**
   * The sum of the lanes, always in the same order, which {@code reduceLanes} leaves open.
   *
   * @param lanes room for a vector
   */
  private static double total(FloatVector sums, float[] lanes) {
    sums.intoArray(lanes, 0);
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    for (int lane = 0; lane < WIDTH; lane += 4) {
      a += lanes[lane];
      b += lanes[lane + 1];
      c += lanes[lane + 2];
      d += lanes[lane + 3];
    }
    return a + b + (c + d);
  }
}
