package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class NormTest {
  private static final float EPSILON = 1e-5f;

  @ParameterizedTest
  @CsvSource({"1, 2", "3, 5", "7, 48", "5, 64", "2, 65", "3, 200"})
  void layerNorm(int rows, int width) {
    float[] x = shifted(normal(1, rows * width));
    float[] weight = normal(2, width);
    float[] bias = normal(3, width);
    double[] expected = Reference.layerNorm(doubles(x), doubles(weight), doubles(bias), EPSILON);
    FloatArray a = array(x);
    FloatArray w = array(weight);
    FloatArray b = array(bias);
    FloatArray y = new FloatArray(rows * width);
    Launch.run(
        Launch.graph(a, w, b).task("t", LayerNorm::rows, CONTEXT, a, w, b, y, rows, width, EPSILON),
        Grids.items(rows, 4),
        y);
    assertClose(y.toHeapArray(), expected, 1e-5);
    y.init(0);
    Launch.run(
        Launch.graph(a, w, b)
            .task("t", LayerNorm::grouped, CONTEXT, a, w, b, y, rows, width, EPSILON),
        Grids.groups(rows + 1, LayerNorm.GROUP),
        y);
    assertClose(y.toHeapArray(), expected, 1e-5);
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 1", "5, 7, 2", "9, 16, 4", "3, 33, 64", "2, 150, 2"})
  void layerNormBackward(int rows, int width, int block) {
    float[] x = shifted(normal(4, rows * width));
    float[] weight = normal(5, width);
    float[] bias = normal(6, width);
    float[] upstream = normal(7, rows * width);
    FloatArray a = array(x);
    FloatArray w = array(weight);
    FloatArray dy = array(upstream);
    FloatArray dx = new FloatArray(rows * width);
    FloatArray statistics = new FloatArray(rows * 2);
    double[] expected =
        Reference.gradient(
            v -> Reference.layerNorm(v, doubles(weight), doubles(bias), EPSILON), x, upstream);
    float[][] found = new float[2][];
    for (boolean grouped : new boolean[] {false, true}) {
      dx.init(0);
      statistics.init(0);
      Launch.run(
          Launch.graph(a, w, dy)
              .task(
                  "t",
                  grouped ? LayerNorm::groupedBackwardInput : LayerNorm::backwardInput,
                  CONTEXT,
                  a,
                  w,
                  dy,
                  dx,
                  statistics,
                  rows,
                  width,
                  EPSILON),
          grouped ? Grids.groups(rows + 1, LayerNorm.GROUP) : Grids.items(rows, 4),
          dx,
          statistics);
      assertClose(dx.toHeapArray(), expected, 3e-5);
      found[grouped ? 1 : 0] = statistics.toHeapArray();
    }
    assertClose(found[1], doubles(found[0]), 1e-5);

    int parts = Math.ceilDiv(rows, block);
    FloatArray weightParts = new FloatArray(parts * width);
    FloatArray biasParts = new FloatArray(parts * width);
    Launch.run(
        Launch.graph(a, dy, statistics)
            .task(
                "t",
                LayerNorm::backwardParameters,
                CONTEXT,
                a,
                dy,
                statistics,
                weightParts,
                biasParts,
                rows,
                width,
                block),
        Grids.items(parts * width, 8),
        weightParts,
        biasParts);
    assertClose(
        sum(weightParts, parts, width),
        Reference.gradient(
            v -> Reference.layerNorm(doubles(x), v, doubles(bias), EPSILON), weight, upstream),
        1e-5);
    assertClose(
        sum(biasParts, parts, width),
        Reference.gradient(
            v -> Reference.layerNorm(doubles(x), doubles(weight), v, EPSILON), bias, upstream),
        1e-5);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "5, 7, 2", "9, 16, 4", "3, 33, 64"})
  void rmsNorm(int rows, int width, int block) {
    float[] x = shifted(normal(8, rows * width));
    float[] weight = normal(9, width);
    float[] upstream = normal(10, rows * width);
    FloatArray a = array(x);
    FloatArray w = array(weight);
    FloatArray y = new FloatArray(rows * width);
    Launch.run(
        Launch.graph(a, w).task("t", RmsNorm::rows, CONTEXT, a, w, y, rows, width, EPSILON),
        Grids.items(rows, 4),
        y);
    assertClose(y.toHeapArray(), Reference.rmsNorm(doubles(x), doubles(weight), EPSILON), 1e-5);

    FloatArray dy = array(upstream);
    FloatArray dx = new FloatArray(rows * width);
    FloatArray inverses = new FloatArray(rows);
    Launch.run(
        Launch.graph(a, w, dy)
            .task(
                "t", RmsNorm::backwardInput, CONTEXT, a, w, dy, dx, inverses, rows, width, EPSILON),
        Grids.items(rows, 4),
        dx,
        inverses);
    assertClose(
        dx.toHeapArray(),
        Reference.gradient(v -> Reference.rmsNorm(v, doubles(weight), EPSILON), x, upstream),
        3e-5);

    int parts = Math.ceilDiv(rows, block);
    FloatArray weightParts = new FloatArray(parts * width);
    Launch.run(
        Launch.graph(a, dy, inverses)
            .task(
                "t",
                RmsNorm::backwardWeight,
                CONTEXT,
                a,
                dy,
                inverses,
                weightParts,
                rows,
                width,
                block),
        Grids.items(parts * width, 8),
        weightParts);
    assertClose(
        sum(weightParts, parts, width),
        Reference.gradient(v -> Reference.rmsNorm(doubles(x), v, EPSILON), weight, upstream),
        1e-5);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "5, 7", "9, 16", "3, 33"})
  void softmax(int rows, int width) {
    float[] values = shifted(normal(11, rows * width));
    float[] upstream = normal(12, rows * width);
    FloatArray x = array(values);
    FloatArray dy = array(upstream);
    FloatArray y = new FloatArray(rows * width);
    FloatArray dx = new FloatArray(rows * width);
    Launch.run(
        Launch.graph(x).task("t", Softmax::rows, CONTEXT, x, y, rows, width),
        Grids.items(rows, 4),
        y);
    assertClose(y.toHeapArray(), softmax(doubles(values), width), 1e-6);
    Launch.run(
        Launch.graph(y, dy).task("t", Softmax::backward, CONTEXT, y, dy, dx, rows, width),
        Grids.items(rows, 4),
        dx);
    assertClose(
        dx.toHeapArray(), Reference.gradient(v -> softmax(v, width), values, upstream), 2e-6);
    Launch.run(
        Launch.graph(x).task("t", Softmax::logRows, CONTEXT, x, y, rows, width),
        Grids.items(rows, 4),
        y);
    assertClose(y.toHeapArray(), Reference.logSoftmax(doubles(values), width), 1e-6);
    Launch.run(
        Launch.graph(y, dy).task("t", Softmax::logBackward, CONTEXT, y, dy, dx, rows, width),
        Grids.items(rows, 4),
        dx);
    assertClose(
        dx.toHeapArray(),
        Reference.gradient(v -> Reference.logSoftmax(v, width), values, upstream),
        5e-6);
  }

  private static double[] softmax(double[] x, int width) {
    double[] logs = Reference.logSoftmax(x, width);
    for (int i = 0; i < logs.length; i++) {
      logs[i] = Math.exp(logs[i]);
    }
    return logs;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1e-12", "5, 7, 1e-12", "3, 33, 1e-12", "4, 5, 100"})
  void l2Norm(int rows, int width, float epsilon) {
    float[] values = shifted(normal(13, rows * width));
    float[] upstream = normal(14, rows * width);
    FloatArray x = array(values);
    FloatArray dy = array(upstream);
    FloatArray y = new FloatArray(rows * width);
    FloatArray dx = new FloatArray(rows * width);
    Launch.run(
        Launch.graph(x).task("t", L2Norm::rows, CONTEXT, x, y, rows, width, epsilon),
        Grids.items(rows, 4),
        y);
    assertClose(y.toHeapArray(), l2Norm(doubles(values), width, epsilon), 1e-6);
    Launch.run(
        Launch.graph(x, dy).task("t", L2Norm::backward, CONTEXT, x, dy, dx, rows, width, epsilon),
        Grids.items(rows, 4),
        dx);
    assertClose(
        dx.toHeapArray(),
        Reference.gradient(v -> l2Norm(v, width, epsilon), values, upstream),
        2e-6);
  }

  private static double[] l2Norm(double[] x, int width, double epsilon) {
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += width) {
      double squares = 0;
      for (int i = 0; i < width; i++) {
        squares += x[at + i] * x[at + i];
      }
      for (int i = 0; i < width; i++) {
        y[at + i] = x[at + i] / Math.max(Math.sqrt(squares), epsilon);
      }
    }
    return y;
  }

  /** The second stage of a reduction. */
  private static float[] sum(FloatArray parts, int rows, int columns) {
    FloatArray y = new FloatArray(columns);
    TaskGraph graph =
        Launch.graph(parts).task("t", Reductions::sumRows, CONTEXT, parts, y, rows, columns, rows);
    Launch.run(graph, Grids.items(columns, 8), y);
    return y.toHeapArray();
  }

  private static float[] shifted(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] * 3 + 2;
    }
    return values;
  }
}
