package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Loss, gradient norm and optimiser. */
class TrainingTest {
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "5, 3, 0", "4, 10, 0.1", "7, 37, 0.3"})
  void crossEntropyOfClasses(int rows, int classes, float smoothing) {
    float[] logits = normal(1, rows * classes);
    float[] targets = new float[rows];
    double[] weights = new double[rows * classes];
    for (int row = 0; row < rows; row++) {
      // One row does not count.
      targets[row] = row == 1 ? -100 : row * 5 % classes;
      for (int i = 0; i < classes && row != 1; i++) {
        double chosen = i == targets[row] ? 1 - smoothing : 0;
        weights[row * classes + i] = chosen + smoothing / classes;
      }
    }
    FloatArray x = array(logits);
    FloatArray t = array(targets);
    FloatArray losses = new FloatArray(rows);
    FloatArray dLogits = new FloatArray(rows * classes);
    Launch.run(
        Launch.graph(x, t)
            .task(
                "t",
                CrossEntropy::classes,
                CONTEXT,
                x,
                t,
                losses,
                dLogits,
                rows,
                classes,
                smoothing),
        Grids.items(rows, 4),
        losses,
        dLogits);
    check(losses, dLogits, logits, weights, rows, classes);
    FloatArray share = new FloatArray(1);
    FloatArray dy = array(new float[] {3});
    Launch.run(
        Launch.graph(t, dy).task("t", CrossEntropy::share, CONTEXT, t, dy, share, rows),
        Grids.items(1, 1),
        share);
    assertClose(share.toHeapArray(), new double[] {rows == 1 ? 3 : 3.0 / (rows - 1)}, 1e-6);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 3", "4, 10"})
  void crossEntropyOfWeights(int rows, int classes) {
    float[] logits = normal(2, rows * classes);
    float[] weights = normal(3, rows * classes);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.abs(weights[i]);
    }
    FloatArray x = array(logits);
    FloatArray t = array(weights);
    FloatArray losses = new FloatArray(rows);
    FloatArray dLogits = new FloatArray(rows * classes);
    Launch.run(
        Launch.graph(x, t)
            .task("t", CrossEntropy::weights, CONTEXT, x, t, losses, dLogits, rows, classes),
        Grids.items(rows, 4),
        losses,
        dLogits);
    check(losses, dLogits, logits, doubles(weights), rows, classes);
  }

  private static void check(
      FloatArray losses,
      FloatArray dLogits,
      float[] logits,
      double[] weights,
      int rows,
      int classes) {
    float[] ones = new float[rows];
    Arrays.fill(ones, 1);
    assertClose(losses.toHeapArray(), losses(doubles(logits), weights, rows, classes), 1e-5);
    assertClose(
        dLogits.toHeapArray(),
        Reference.gradient(v -> losses(v, weights, rows, classes), logits, ones),
        1e-5);
  }

  private static double[] losses(double[] logits, double[] weights, int rows, int classes) {
    double[] logs = Reference.logSoftmax(logits, classes);
    double[] losses = new double[rows];
    for (int i = 0; i < logs.length; i++) {
      losses[i / classes] -= weights[i] * logs[i];
    }
    return losses;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "5, 2, 3", "1000, 64, 7", "130, 200, 2"})
  void squaresInTwoStages(int n, int block, int groups) {
    float[] values = normal(4, n);
    double expected = 2; // what is there before
    for (float value : values) {
      expected += (double) value * value;
    }
    FloatArray x = array(values);
    int parts = Math.ceilDiv(n, block);
    FloatArray y = array(new float[parts]);
    y.set(parts - 1, 2);
    Launch.run(
        Launch.graph(x, y).task("t", Reductions::sumSquares, CONTEXT, x, y, n, block),
        Grids.items(parts, 4),
        y);
    assertClose(total(y), new double[] {expected}, 1e-6);
    FloatArray z = array(new float[groups]);
    z.set(groups - 1, 2);
    Launch.run(
        Launch.graph(x, z).task("t", Reductions::groupedSquares, CONTEXT, x, z, n, groups),
        Grids.groups(groups, Reductions.GROUP),
        z);
    assertClose(total(z), new double[] {expected}, 1e-6);
    for (float maximum : new float[] {0.5f, Float.MAX_VALUE}) {
      FloatArray norm = new FloatArray(2);
      Launch.run(
          Launch.graph(z).task("t", Reductions::clip, CONTEXT, z, norm, groups, maximum),
          Grids.items(1, 4),
          norm);
      double length = Math.sqrt(expected);
      assertClose(
          norm.toHeapArray(), new double[] {length, Math.min(1, maximum / (length + 1e-6))}, 1e-6);
    }
  }

  private static float[] total(FloatArray parts) {
    int n = parts.getSize();
    FloatArray sum = new FloatArray(1);
    Launch.run(
        Launch.graph(parts).task("t", Reductions::sumRows, CONTEXT, parts, sum, n, 1, n),
        Grids.items(1, 1),
        sum);
    return sum.toHeapArray();
  }

  /** AdamW, and Adam with a decay that is added to the gradient. */
  @ParameterizedTest
  @CsvSource({"1, 1, 0.1, 0", "33, 0.5, 0.1, 0", "33, 0.5, 0, 0.1"})
  void adam(int n, float scale, float shrinking, float decay) {
    double[] parameter = doubles(normal(5, n));
    double[] first = new double[n];
    double[] second = new double[n];
    FloatArray p = array(normal(5, n));
    FloatArray m = array(new float[n]);
    FloatArray s = array(new float[n]);
    for (int step = 1; step <= 3; step++) {
      float[] gradient = normal(5 + step, n);
      double rate = 0.02 * step * 0.5;
      double correction1 = 1 - Math.pow(0.9, step);
      double correction2 = 1 - Math.pow(0.99, step);
      FloatArray g = array(gradient);
      FloatArray norm = array(new float[] {7, scale});
      FloatArray schedule =
          array(new float[] {0.02f * step, (float) correction1, (float) correction2});
      Launch.run(
          Launch.graph(p, g, m, s, norm, schedule)
              .task(
                  "t",
                  Adam::update,
                  CONTEXT,
                  p,
                  g,
                  m,
                  s,
                  norm,
                  schedule,
                  n,
                  0.9f,
                  0.99f,
                  1e-6f,
                  0.5f,
                  shrinking,
                  decay),
          Grids.items(n, 8),
          p,
          m,
          s);
      for (int i = 0; i < n; i++) {
        double value = gradient[i] * scale + decay * parameter[i];
        first[i] = 0.9 * first[i] + 0.1 * value;
        second[i] = 0.99 * second[i] + 0.01 * value * value;
        double direction = first[i] / correction1 / (Math.sqrt(second[i] / correction2) + 1e-6);
        parameter[i] -= rate * (shrinking * parameter[i] + direction);
      }
      assertClose(p.toHeapArray(), parameter, 3e-6);
      assertClose(m.toHeapArray(), first, 1e-6);
      assertClose(s.toHeapArray(), second, 1e-6);
    }
  }

  /** Without momentum, with it, and with Nesterov's. */
  @ParameterizedTest
  @CsvSource({"1, 0, 0, 1", "33, 0.9, 0, 1", "33, 0.9, 1, 0.9"})
  void sgd(int n, float momentum, float own, float share) {
    double[] parameter = doubles(normal(5, n));
    double[] velocity = new double[n];
    FloatArray p = array(normal(5, n));
    FloatArray plain = array(normal(5, n));
    FloatArray v = array(new float[n]);
    for (int step = 1; step <= 3; step++) {
      float[] gradient = normal(5 + step, n);
      FloatArray g = array(gradient);
      FloatArray norm = array(new float[] {7, 0.5f});
      FloatArray schedule = array(new float[] {0.1f, 1, 1});
      Launch.run(
          Launch.graph(p, g, v, norm, schedule)
              .task(
                  "t",
                  Sgd::momentum,
                  CONTEXT,
                  p,
                  g,
                  v,
                  norm,
                  schedule,
                  n,
                  momentum,
                  own,
                  share,
                  0.3f,
                  0.1f),
          Grids.items(n, 8),
          p,
          v);
      Launch.run(
          Launch.graph(plain, g, norm, schedule)
              .task("t", Sgd::update, CONTEXT, plain, g, norm, schedule, n, 0.3f, 0.1f),
          Grids.items(n, 8),
          plain);
      for (int i = 0; i < n; i++) {
        double value = gradient[i] * 0.5 + 0.1 * parameter[i];
        velocity[i] = momentum * velocity[i] + value;
        parameter[i] -= 0.03 * (own * value + share * velocity[i]);
      }
      assertClose(p.toHeapArray(), parameter, 1e-6);
      assertClose(v.toHeapArray(), velocity, 1e-6);
      if (momentum == 0) {
        assertClose(plain.toHeapArray(), parameter, 1e-6);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 0.5", "1000, 1, 0.1", "1000, 7, 0.3"})
  void dropout(int n, int run, float rate) {
    float[] values = normal(8, n);
    FloatArray x = array(values);
    float[] halves = {16_777_215, 12_345};
    FloatArray seed = array(halves);
    FloatArray y = new FloatArray(n);
    float kept = 1 / (1 - rate);
    Launch.run(
        Launch.graph(x, seed).task("t", Dropout::runs, CONTEXT, x, seed, y, n, run, 3, rate, kept),
        Grids.items(n, 8),
        y);
    double[] expected = new double[n];
    // The JDK's SplitMix64: the first number from a seed is seed + golden ratio, mixed.
    long first = mix(((long) halves[0] << 24 | (long) halves[1]) * GOLDEN + 3);
    for (int i = 0; i < n; i++) {
      long bits = new SplittableRandom(first + (i / run - 1) * GOLDEN).nextLong();
      expected[i] = (bits >>> 40) * 0x1p-24 < rate ? 0 : values[i] * kept;
    }
    assertClose(y.toHeapArray(), expected, 1e-6);
  }

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private static long mix(long z) {
    return new SplittableRandom(z - GOLDEN).nextLong();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 33})
  void squaredError(int n) {
    float[] values = normal(9, n);
    float[] targets = normal(10, n);
    FloatArray x = array(values);
    FloatArray t = array(targets);
    FloatArray dy = array(new float[] {3});
    FloatArray losses = new FloatArray(n);
    FloatArray dx = new FloatArray(n);
    Launch.run(
        Launch.graph(x, t).task("t", SquaredError::losses, CONTEXT, x, t, losses, n, 0.5f),
        Grids.items(n, 8),
        losses);
    Launch.run(
        Launch.graph(x, t, dy).task("t", SquaredError::backward, CONTEXT, x, t, dy, dx, n, 0.5f),
        Grids.items(n, 8),
        dx);
    double[] expected = new double[n];
    double[] gradient = new double[n];
    for (int i = 0; i < n; i++) {
      double distance = (double) values[i] - targets[i];
      expected[i] = distance * distance / 2;
      gradient[i] = 3 * distance;
    }
    assertClose(losses.toHeapArray(), expected, 1e-6);
    assertClose(dx.toHeapArray(), gradient, 1e-6);
  }
}
