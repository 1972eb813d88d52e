package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Loss, gradient norm and optimiser. */
class TrainingTest {
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "5, 3, 0", "4, 10, 0.1", "7, 37, 0.3"})
  void crossEntropyOfClasses(int rows, int classes, float smoothing) {
    float[] logits = normal(1, rows * classes);
    int[] targets = new int[rows];
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
    IntArray t = IntArray.fromArray(targets);
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
                smoothing,
                0.25f),
        Grids.items(rows, 4),
        losses,
        dLogits);
    check(losses, dLogits, logits, weights, rows, classes);
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
            .task("t", CrossEntropy::weights, CONTEXT, x, t, losses, dLogits, rows, classes, 0.25f),
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
    float[] quarter = new float[rows];
    Arrays.fill(quarter, 0.25f);
    assertClose(losses.toHeapArray(), losses(doubles(logits), weights, rows, classes), 1e-5);
    assertClose(
        dLogits.toHeapArray(),
        Reference.gradient(v -> losses(v, weights, rows, classes), logits, quarter),
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
    double expected = 0;
    for (float value : values) {
      expected += (double) value * value;
    }
    FloatArray x = array(values);
    int parts = Math.ceilDiv(n, block);
    FloatArray y = new FloatArray(parts);
    Launch.run(
        Launch.graph(x).task("t", Reductions::sumSquares, CONTEXT, x, y, n, block),
        Grids.items(parts, 4),
        y);
    assertClose(total(y), new double[] {expected}, 1e-6);
    FloatArray z = new FloatArray(groups);
    Launch.run(
        Launch.graph(x).task("t", Reductions::groupedSquares, CONTEXT, x, z, n, groups),
        Grids.groups(groups, Reductions.GROUP),
        z);
    assertClose(total(z), new double[] {expected}, 1e-6);
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

  @ParameterizedTest
  @CsvSource({"1, 1", "33, 0.5"})
  void adamW(int n, float scale) {
    double[] parameter = doubles(normal(5, n));
    double[] first = new double[n];
    double[] second = new double[n];
    FloatArray p = array(normal(5, n));
    FloatArray m = array(new float[n]);
    FloatArray s = array(new float[n]);
    for (int step = 1; step <= 3; step++) {
      float[] gradient = normal(5 + step, n);
      float[] control = new float[AdamW.CONTROL];
      control[AdamW.LEARNING_RATE] = 0.01f * step;
      control[AdamW.BETA1] = 0.9f;
      control[AdamW.BETA2] = 0.99f;
      control[AdamW.EPSILON] = 1e-6f;
      control[AdamW.WEIGHT_DECAY] = 0.1f;
      control[AdamW.CORRECTION1] = (float) (1 - Math.pow(0.9f, step));
      control[AdamW.CORRECTION2] = (float) (1 - Math.pow(0.99f, step));
      control[AdamW.GRADIENT_SCALE] = scale;
      FloatArray g = array(gradient);
      FloatArray c = array(control);
      Launch.run(
          Launch.graph(p, g, m, s, c).task("t", AdamW::step, CONTEXT, p, g, m, s, c, n),
          Grids.items(n, 8),
          p,
          m,
          s);
      for (int i = 0; i < n; i++) {
        double value = gradient[i] * scale;
        first[i] = 0.9 * first[i] + 0.1 * value;
        second[i] = 0.99 * second[i] + 0.01 * value * value;
        double direction =
            first[i]
                / (1 - Math.pow(0.9, step))
                / (Math.sqrt(second[i] / (1 - Math.pow(0.99, step))) + 1e-6);
        parameter[i] -= 0.01 * step * (0.1 * parameter[i] + direction);
      }
      assertClose(p.toHeapArray(), parameter, 3e-6);
      assertClose(m.toHeapArray(), first, 1e-6);
      assertClose(s.toHeapArray(), second, 1e-6);
    }
  }
}
