package dev.tessera.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.engine.Engine;
import dev.tessera.engine.cpu.FixedKernels;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Gradients against finite differences of the scalar engine, and the cpu engine's against the
 * scalar engine's, on shapes that fit no tile.
 */
class BackwardTest {
  private static final Engine SCALAR = new ScalarEngine();
  private static final Engine CPU = FixedKernels.vectorised(3);

  @AfterAll
  static void close() {
    CPU.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "5, 3, 7", "7, 65, 17", "13, 64, 70", "70, 33, 6", "300, 5, 130"})
  void linear(int rows, int in, int out) {
    check(g -> g.linear(input(g, "x", rows, in), "layer", out));
  }

  @Test
  void severalReadersOfOneValue() {
    check(g -> {
      Value x = input(g, "x", 4, 5);
      Value a = g.linear(x, "a", 5);
      return g.add(g.add(g.linear(a, "b", 5), a), g.multiply(x, a));
    });
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "5, 16", "37, 19", "3, 130"})
  void norms(int rows, int width) {
    check(g -> g.layerNorm(input(g, "x", rows, width), "norm", 1e-5f));
    check(g -> g.rmsNorm(input(g, "x", rows, width), "norm", 1e-5f));
    check(g -> g.l2Normalize(input(g, "x", rows, width), 1e-12f));
    check(g -> {
      Value x = input(g, "x", rows, width);
      return g.add(g.layerNorm(x, "norm", 1e-5f), x);
    });
  }

  @Test
  void aRowShorterThanEpsilonIsScaled() {
    check(g -> g.l2Normalize(input(g, "x", 3, 4), 100f));
  }

  @ParameterizedTest
  @EnumSource(value = Activation.class, mode = EnumSource.Mode.EXCLUDE, names = "IDENTITY")
  void activations(Activation activation) {
    check(g -> g.activate(activation, input(g, "x", 5, 37)));
    check(g -> g.gated(activation, input(g, "x", 3, 14)));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 3, false",
    "2, 3, 5, 5, 4, true",
    "1, 2, 70, 70, 7, false",
    "1, 1, 67, 67, 16, true",
    "2, 2, 3, 66, 5, false",
    "1, 2, 20, 9, 70, false"
  })
  void attention(int batch, int heads, int queries, int keys, int width, boolean causal) {
    for (boolean masked : new boolean[] {false, true}) {
      check(g -> {
        Value q = input(g, "q", batch, queries, heads * width);
        Value k = input(g, "k", batch, keys, heads * width);
        Value v = input(g, "v", batch, keys, heads * width);
        Value mask = masked ? g.input("mask", Shape.of(batch, keys)) : null;
        return g.attention(q, k, v, mask, heads, causal);
      });
    }
  }

  @Test
  void sumsAndProductsThatRepeatTheRightSide() {
    check(g -> g.add(input(g, "x", 3, 4, 5), input(g, "y", 4, 5)));
    check(g -> g.add(input(g, "x", 3, 4, 5), input(g, "y", 1, 1, 5)));
    check(g -> g.multiply(input(g, "x", 3, 4, 5), input(g, "y", 5)));
    check(g -> g.multiply(input(g, "x", 40, 33), input(g, "y", 40, 33)));
    check(g -> g.scale(input(g, "x", 3, 4), -2.5f));
  }

  @Test
  void movements() {
    check(g ->
        g.concat(List.of(input(g, "a", 1, 2, 5), input(g, "b", 3, 4, 5), input(g, "c", 3, 1, 5))));
    check(g -> g.concatFeatures(input(g, "a", 3, 4), input(g, "b", 3, 7)));
    check(g -> g.slice(input(g, "x", 3, 5, 7), 1, 2, 4));
    check(g -> g.slice(input(g, "x", 3, 5, 7), 2, 1, 6));
    check(g -> g.token(input(g, "x", 3, 5, 7), 0));
    check(g -> g.meanTokens(input(g, "x", 3, 5, 7)));
    check(g -> g.reshape(input(g, "x", 3, 4), Shape.of(2, 6)));
    check(g -> g.patches(input(g, "x", 2, 3, 7, 9), 3, 4));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void positions(boolean antialias) {
    check(g -> g.resizePositions(input(g, "x", 1, 20, 3), 4, 5, 3, 8, antialias));
  }

  @Test
  void embeddings() {
    check(g -> g.embedding(g.input("ids", Shape.of(2, 5)), g.parameter("table", Shape.of(IDS, 3))));
  }

  @Test
  void softmaxes() {
    check(g -> g.softmax(input(g, "x", 5, 19)));
    check(g -> g.logSoftmax(input(g, "x", 5, 19)));
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 0", "5, 10, 0", "7, 33, 0.1"})
  void crossEntropy(int rows, int classes, float smoothing) {
    check(g ->
        g.crossEntropy(input(g, "x", rows, classes), g.input("ids", Shape.of(rows)), smoothing));
    check(g ->
        g.crossEntropy(input(g, "x", rows, classes), g.input("mask", Shape.of(rows, classes)), 0f));
  }

  @Test
  void meanSquaredError() {
    check(g -> g.meanSquaredError(input(g, "x", 5, 7), g.input("mask", Shape.of(5, 7))));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 12})
  void dropout(int run) {
    check(g -> g.dropout(input(g, "x", 5, 12), g.input("seed", Shape.of(2)), 0.4f, 3, run));
  }

  @Test
  void dropoutKeepsTheMeanAndForgetsNothingBetweenEngines() {
    GraphBuilder g = new GraphBuilder();
    Value ones = g.fill(Shape.of(200, 500), 1f);
    g.output("y", g.dropout(ones, g.input("seed", Shape.of(2)), 0.25f, 1, 1));
    Graph graph = g.build();
    Map<String, Tensor> seed = Map.of("seed", Tensor.of(Shape.of(2), 7f, 123456f));
    float[] y = values(SCALAR, graph, Map.of(), seed).get("y");
    assertThat(values(CPU, graph, Map.of(), seed).get("y")).isEqualTo(y);
    double sum = 0;
    for (float v : y) {
      assertThat(v).isIn(0f, 1f / 0.75f);
      sum += v;
    }
    assertThat(sum / y.length).isCloseTo(1, within(0.01));
    Map<String, Tensor> other = Map.of("seed", Tensor.of(Shape.of(2), 7f, 123457f));
    assertThat(values(SCALAR, graph, Map.of(), other).get("y")).isNotEqualTo(y);
  }

  @Test
  void whatTheLossDoesNotDependOnIsNamed() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.parameter("x", Shape.of(1));
    Value y = g.parameter("y", Shape.of(1));
    Map<String, Value> wanted = new LinkedHashMap<>();
    wanted.put("x", x);
    wanted.put("y", y);
    assertThatThrownBy(() -> Backward.of(g, g.scale(x, 2f), wanted))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not depend on y");
  }

  @Test
  void onlyWhatIsWantedIsDifferentiated() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(4, 3));
    Value hidden = g.activate(Activation.GELU, g.linear(x, "frozen", 5));
    Value loss = sum(g, g.linear(hidden, "head", 2));
    int before = g.build().operations().size();
    Map<String, Value> wanted = Map.of("head.bias", g.build().parameters().get("head.bias"));
    Backward.of(g, loss, wanted);
    assertThat(g.build().operations().subList(before, g.build().operations().size()))
        .noneMatch(
            op -> op instanceof GradientOp.LinearWeight || op instanceof GradientOp.Activate);
  }

  /** How many rows the tables of ids have. */
  private static final int IDS = 6;

  private static final double STEP = 1e-2;

  private static Value input(GraphBuilder g, String name, int... extents) {
    return g.parameter(name, Shape.of(extents));
  }

  /** Σ y·w with fixed weights w, so that every element's gradient differs. */
  private static Value sum(GraphBuilder g, Value y) {
    int elements = (int) y.shape().elements();
    Value weights = g.parameter("loss weights", Shape.of(1, elements));
    return g.linear(g.reshape(y, Shape.of(1, elements)), weights, null);
  }

  private static void check(Function<GraphBuilder, Value> operation) {
    GraphBuilder g = new GraphBuilder();
    Value loss = sum(g, operation.apply(g));
    Map<String, Value> wanted = new LinkedHashMap<>(g.build().parameters());
    wanted.remove("loss weights");
    g.output("loss", loss);
    Graph forward = g.build();
    Backward.of(g, loss, wanted).forEach(g::output);
    Graph graph = g.build();

    Random random = new Random(17);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    graph.inputs().forEach((name, value) -> inputs.put(name, fed(name, value.shape(), random)));
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    graph
        .parameters()
        .forEach((name, value) -> parameters.put(name, uniform(value.shape(), random)));

    Map<String, float[]> scalar = values(SCALAR, graph, parameters, inputs);
    Map<String, float[]> cpu = values(CPU, graph, parameters, inputs);
    scalar.forEach((name, expected) -> assertClose(name, cpu.get(name), expected, 1e-5));
    for (String name : wanted.keySet()) {
      float[] differences = differences(forward, name, parameters, inputs, random);
      float[] gradient = scalar.get(name);
      for (int i = 0; i < gradient.length; i++) {
        if (!Float.isNaN(differences[i])) {
          double tolerance = 2e-3 * (1 + Math.abs(differences[i]));
          assertThat((double) gradient[i])
              .as("gradient by element %d of %s", i, name)
              .isCloseTo(differences[i], within(tolerance));
        }
      }
    }
  }

  private static Tensor fed(String name, Shape shape, Random random) {
    float[] values = new float[(int) shape.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (name) {
            case "ids" -> i % 4 == 3 && shape.rank() == 1 ? -100 : random.nextInt(2);
            case "mask" -> i % 3 == 1 ? 0 : 1;
            case "seed" -> 1000 + i;
            default -> throw new IllegalArgumentException(name);
          };
    }
    return Tensor.of(shape, values);
  }

  private static Tensor uniform(Shape shape, Random random) {
    float[] values = new float[(int) shape.elements()];
    for (int i = 0; i < values.length; i++) {
      // Not near 0, where ReLU has no derivative to approach.
      values[i] = random.nextFloat(0.05f, 1) * (random.nextBoolean() ? 1 : -1);
    }
    return Tensor.of(shape, values);
  }

  private static Map<String, float[]> values(
      Engine engine, Graph graph, Map<String, Tensor> parameters, Map<String, Tensor> inputs) {
    Map<String, float[]> values = new LinkedHashMap<>();
    engine
        .compile(graph, parameters)
        .run(inputs)
        .forEach((name, tensor) -> values.put(name, tensor.toFloats()));
    return values;
  }

  /**
   * Differences of the loss around the parameter's elements, of fourth order; NaN for those left
   * out: a few dozen tell, and all would take minutes.
   */
  private static float[] differences(
      Graph graph,
      String name,
      Map<String, Tensor> parameters,
      Map<String, Tensor> inputs,
      Random random) {
    Shape shape = graph.parameters().get(name).shape();
    float[] values = parameters.get(name).toFloats();
    float[] differences = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      if (values.length > 24 && random.nextInt(values.length) >= 24) {
        differences[i] = Float.NaN;
        continue;
      }
      double near = moved(graph, name, shape, values, i, STEP, parameters, inputs);
      double far = moved(graph, name, shape, values, i, 2 * STEP, parameters, inputs);
      differences[i] = (float) ((4 * near - far) / 3);
    }
    return differences;
  }

  /** (loss(x + h) − loss(x − h))/2h. */
  private static double moved(
      Graph graph,
      String name,
      Shape shape,
      float[] values,
      int i,
      double h,
      Map<String, Tensor> parameters,
      Map<String, Tensor> inputs) {
    double[] losses = new double[2];
    double[] at = new double[2];
    for (int side = 0; side < 2; side++) {
      float[] changed = values.clone();
      changed[i] += (float) (side == 0 ? h : -h);
      at[side] = changed[i];
      Map<String, Tensor> all = new LinkedHashMap<>(parameters);
      all.put(name, Tensor.of(shape, changed));
      losses[side] = values(SCALAR, graph, all, inputs).get("loss")[0];
    }
    return (losses[0] - losses[1]) / (at[0] - at[1]);
  }

  private static void assertClose(String what, float[] actual, float[] expected, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("%s, element %d", what, i)
          .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
    }
  }
}
