package dev.tessera.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Backward;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every operation of the cpu engine against the scalar oracle, on shapes that fit no tile. */
class CpuEngineTest {
  private static final CpuEngine ENGINE = new CpuEngine(3, vectorised());
  private static final CpuEngine PLAIN = new CpuEngine(2, new Kernels());

  private static Kernels vectorised() {
    Kernels kernels = new Kernels();
    kernels.useVectorProducts();
    kernels.useVectorRows();
    kernels.useVectorElements();
    return kernels;
  }

  @AfterAll
  static void close() {
    ENGINE.close();
    PLAIN.close();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 5, 3",
    "2, 768, 31",
    "7, 17, 33",
    "11, 64, 32",
    "12, 65, 64",
    "23, 100, 130",
    "197, 48, 144",
    "198, 1, 32",
    "5, 769, 7",
    "13, 1600, 40",
    "300, 70, 66",
    "1025, 9, 20"
  })
  void linear(int rows, int in, int out) {
    compare(
        g -> {
          Value x = g.input("x", Shape.of(rows, in));
          g.output("plain", g.linear(x, "a", out, false));
          g.output("bias", g.linear(x, "b", out));
          g.output("gelu", g.activate(Activation.GELU, g.linear(x, "c", out)));
          Value y = g.input("y", Shape.of(rows, out));
          g.output("residual", g.add(y, g.linear(x, "d", out)));
          Value scaled = g.multiply(g.linear(x, "e", out), g.parameter("scale", Shape.of(out)));
          g.output("scaled", g.add(scaled, y));
        },
        3e-6);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16", "F64"})
  void weightsOfEveryTypeOnTheFirstRunAndLater(DType type) {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(67, 50));
    g.output("y", g.linear(x, "a", 53));
    g.output("z", g.multiply(g.linear(x, "b", 29), g.parameter("scale", Shape.of(29))));
    Graph graph = g.build();
    Random random = new Random(5);
    Map<String, Tensor> parameters = random(graph.parameters(), random, true);
    parameters.replaceAll((name, tensor) -> as(type, tensor));
    Map<String, Tensor> inputs = random(graph.inputs(), random, false);
    Map<String, Tensor> want = new ScalarEngine().compile(graph, parameters).run(inputs);
    Executable executable = ENGINE.compile(graph, parameters);
    Map<String, Tensor> first = executable.run(inputs);
    executable
        .run(inputs)
        .forEach((name, later) -> {
          compare(name, later, want.get(name), 3e-6);
          assertThat(first.get(name).toFloats()).isEqualTo(later.toFloats());
        });
    // Another graph with these weights finds them packed.
    ENGINE
        .compile(graph, parameters)
        .run(inputs)
        .forEach(
            (name, other) -> assertThat(other.toFloats()).isEqualTo(first.get(name).toFloats()));
  }

  @Test
  void residualsWrittenInPlace() {
    compare(
        g -> {
          Value x = g.input("x", Shape.of(2, 37, 40));
          for (int layer = 0; layer < 3; layer++) {
            Value inner = g.activate(Activation.RELU, g.linear(x, "up" + layer, 90));
            x = g.add(x, g.linear(inner, "down" + layer, 40));
          }
          g.output("y", x);
        },
        1e-5);
  }

  @Test
  void residualOfTheInputItself() {
    Consumer<GraphBuilder> model =
        g -> {
          Value x = g.scale(g.input("x", Shape.of(37, 200)), 0.5f); // several panels at any width
          g.output("y", g.add(x, g.linear(x, "square", 200)));
        };
    compare(model, 1e-5);
    compareInTraining(model, 1e-5);
  }

  /** A table may be a parameter of any type, part of one, or computed. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "3, 11, 7", "2, 40, 33", "5, 129, 48"})
  void embedding(int batch, int rows, int width) {
    GraphBuilder g = new GraphBuilder();
    Value ids = g.input("ids", Shape.of(batch, 9));
    Value table = g.parameter("table", Shape.of(rows, width));
    Value longer = g.parameter("longer", Shape.of(rows + 3, width));
    g.output("stored", g.embedding(ids, table));
    g.output("part", g.embedding(ids, g.slice(longer, 0, 2, 2 + rows)));
    g.output("computed", g.embedding(ids, g.scale(g.input("x", Shape.of(rows, width)), 2)));
    g.output("one", g.embedding(g.reshape(ids, Shape.of(batch * 9)), table));
    Graph graph = g.build();
    Random random = new Random(3);
    Map<String, Tensor> parameters = random(graph.parameters(), random, true);
    parameters.computeIfPresent("table", (name, tensor) -> as(DType.F16, tensor));
    Map<String, Tensor> inputs = random(graph.inputs(), random, false);
    long[] wanted = random.longs(9L * batch, 0, rows).toArray();
    wanted[0] = rows - 1L;
    inputs.put("ids", Tensor.of(Shape.of(batch, 9), wanted));
    Map<String, Tensor> want = new ScalarEngine().compile(graph, parameters).run(inputs);
    for (CpuEngine engine : List.of(ENGINE, PLAIN)) {
      Map<String, Tensor> got = engine.compile(graph, parameters).run(inputs);
      assertThat(got.keySet()).containsExactlyElementsOf(want.keySet());
      got.forEach((name, tensor) -> compare(name, tensor, want.get(name), 0));
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {5, -1, 0.5f, Float.NaN, 1e20f})
  void namesAnIdWithoutARow(float id) {
    GraphBuilder g = new GraphBuilder();
    Value ids = g.input("ids", Shape.of(2));
    g.output("y", g.embedding(ids, g.parameter("table", Shape.of(5, 3))));
    Graph graph = g.build();
    Map<String, Tensor> parameters = random(graph.parameters(), new Random(1), true);
    Map<String, Tensor> inputs = Map.of("ids", Tensor.of(Shape.of(2), 0, id));
    for (Engine engine : List.of(ENGINE, PLAIN, new ScalarEngine())) {
      Executable executable = engine.compile(graph, parameters);
      assertThatThrownBy(() -> executable.run(inputs))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is none of the 5 rows");
    }
  }

  private static Tensor as(DType type, Tensor tensor) {
    float[] floats = tensor.toFloats();
    Tensor copy = Tensor.allocate(Arena.ofAuto(), type, tensor.shape());
    for (int i = 0; i < floats.length; i++) {
      float x = floats[i];
      switch (type) {
        case F16 -> copy.data().setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(x));
        case BF16 ->
            copy.data()
                .setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(x) >> 16));
        case F64 -> copy.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, x);
        default -> copy.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, x);
      }
    }
    return copy;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 15, 16, 48, 50, 96, 257, 768})
  void layerNorm(int width) {
    compare(
        g -> {
          Value x = g.input("x", Shape.of(3, 19, width));
          g.output("small", g.layerNorm(x, "a", 1e-12f));
          g.output("large", g.layerNorm(g.scale(x, 30), "b", 1e-5f));
        },
        width == 1 ? 1e-6 : 2e-5);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation activation) {
    compare(
        g -> {
          Value x = g.input("x", Shape.of(5, 71));
          g.output("y", g.activate(activation, g.scale(x, 3)));
          g.output("gated", g.gated(activation, g.linear(x, "a", 46)));
          g.output("fused", g.activate(activation, g.linear(x, "b", 35)));
        },
        2e-5);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "2, 3, 17, 17, 8",
    "1, 3, 197, 197, 64",
    "2, 4, 33, 50, 12",
    "3, 1, 5, 70, 7",
    "1, 2, 64, 11, 80",
    "2, 5, 40, 32, 11"
  })
  void attention(int batch, int heads, int queries, int keys, int width) {
    Consumer<GraphBuilder> model =
        g -> {
          Value scale = g.parameter("scale", Shape.of(heads * width));
          Value q = g.multiply(g.input("q", Shape.of(batch, queries, heads * width)), scale);
          Value k = g.input("k", Shape.of(batch, keys, heads * width));
          Value v = g.input("v", Shape.of(batch, keys, heads * width));
          Value mask = g.input("mask", Shape.of(batch, keys));
          g.output("plain", g.attention(q, k, v, heads));
          g.output("masked", g.attention(q, k, v, mask, heads, false));
          g.output("causal", g.attention(q, k, v, null, heads, true));
          g.output("both", g.attention(q, k, v, mask, heads, true));
          g.output("probabilities", g.attentionProbabilities(q, k, mask, heads, true));
        };
    compare(model, 2e-5);
    compareInTraining(model, 2e-5); // which takes another way
  }

  @Test
  void attentionWithLargeScoresStaysFinite() {
    compare(
        g -> {
          Value q = g.scale(g.input("q", Shape.of(1, 9, 32)), 40);
          Value k = g.input("k", Shape.of(1, 21, 32));
          g.output("y", g.attention(q, k, k, 2));
        },
        2e-4);
  }

  @ParameterizedTest
  @CsvSource({"5, 1", "3, 7", "2, 40", "7, 129", "1, 50001"})
  void unitRowsInTraining(int rows, int width) {
    compareInTraining(
        g -> {
          Value scale = g.parameter("scale", Shape.of(width));
          Value x = g.multiply(g.input("x", Shape.of(rows, width)), scale);
          g.output("unit", g.l2Normalize(x, 1e-6f));
          g.output("zero", g.l2Normalize(g.scale(x, 0), 1e-6f));
          g.output("small", g.l2Normalize(x, 1e3f));
        },
        1e-6);
  }

  @ParameterizedTest
  @CsvSource({"431,37,10", "700,64,48", "1000,70,33", "301,5,3", "3500,129,7", "40,64,64"})
  void gradientsOfWeights(int rows, int in, int out) {
    compareInTraining(
        g -> {
          Value x = g.input("x", Shape.of(rows, in));
          Value weight = g.parameter("weight", Shape.of(out, in));
          Value bias = g.parameter("bias", Shape.of(out));
          Value target = g.input("target", Shape.of(rows, out));
          Value error = g.meanSquaredError(g.linear(x, weight, bias), target);
          // So that gradients are about 1: they are sums of that many terms of either sign.
          Value loss = g.scale(error, (float) Math.sqrt(rows) * out / 2);
          Map<String, Value> gradients =
              Backward.of(g, loss, Map.of("weight", weight, "bias", bias));
          gradients.forEach(g::output);
        },
        4e-6); // thousands of terms in F32, each rounded by half a ulp of the sum so far
  }

  @Test
  void movesWhatTheOracleMoves() {
    compare(
        g -> {
          Value image = g.input("image", Shape.of(2, 3, 23, 34));
          Value patches = g.output("patches", g.patches(image, 5, 8));
          Value token = g.parameter("token", Shape.of(1, 2, 120));
          Value tokens = g.output("tokens", g.concat(List.of(token, patches, token)));
          g.output("positions", g.add(tokens, g.parameter("p", Shape.of(1, 20, 120))));
          g.output("product", g.multiply(tokens, g.parameter("m", Shape.of(120))));
          g.output("last", g.token(tokens, 19));
          g.output("columns", g.slice(tokens, 2, 7, 50));
          g.output("mean", g.meanTokens(tokens));
          g.output("both", g.concatFeatures(g.token(tokens, 0), g.meanTokens(patches)));
          g.output("view", g.scale(g.reshape(tokens, Shape.of(40, 120)), -2));
        },
        2e-6);
  }

  @Test
  void foldsWhatDependsOnParametersAlone() {
    compare(
        g -> {
          Value grid = g.parameter("grid", Shape.of(1, 12, 6));
          Value larger = g.resizePositions(grid, 3, 4, 5, 7, false);
          Value smaller = g.resizePositions(grid, 3, 4, 2, 3, true);
          Value kernel = g.reshape(g.parameter("conv", Shape.of(4, 2, 3, 1)), Shape.of(4, 6));
          g.output("larger", g.add(g.input("x", Shape.of(2, 35, 6)), larger));
          g.output("folded", smaller);
          g.output("conv", g.linear(g.input("z", Shape.of(9, 6)), kernel, null));
        },
        2e-6);
  }

  @Test
  void reusesMemory() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(100, 64));
    for (int layer = 0; layer < 12; layer++) {
      x = g.add(x, g.linear(g.layerNorm(x, "norm" + layer, 1e-6f), "dense" + layer, 64));
    }
    g.output("y", x);
    Graph graph = dev.tessera.graph.Fusion.fuse(g.build());
    Constants constants = new Constants(graph, random(graph.parameters(), new Random(1), true));
    assertThat(MemoryPlan.of(graph, constants).floats()).isEqualTo(2 * 100 * 64);
  }

  @Test
  void sharesPackedWeightsBetweenBatchSizes() {
    Map<String, Tensor> parameters = new HashMap<>();
    for (int batch : new int[] {1, 4}) {
      GraphBuilder g = new GraphBuilder();
      g.output("y", g.linear(g.input("x", Shape.of(batch, 8)), "a", 5));
      Graph graph = g.build();
      if (parameters.isEmpty()) {
        parameters.putAll(random(graph.parameters(), new Random(1), true));
      }
      ENGINE.compile(graph, parameters);
    }
    Tensor weight = parameters.get("a.weight");
    Tensor bias = parameters.get("a.bias");
    assertThat(ENGINE.pack(weight, bias, null)).isSameAs(ENGINE.pack(weight, bias, null));
  }

  @Test
  void namesWhatIsMissing() {
    GraphBuilder g = new GraphBuilder();
    g.output("y", g.linear(g.input("x", Shape.of(2, 8)), "a", 5));
    Graph graph = g.build();
    assertThatThrownBy(() -> ENGINE.compile(graph, Map.of())).hasMessage("no parameter a.weight");
    Executable executable = ENGINE.compile(graph, random(graph.parameters(), new Random(1), true));
    assertThatThrownBy(() -> executable.run(Map.of())).hasMessage("input x is missing");
    assertThatThrownBy(() -> executable.run(Map.of("x", Tensor.of(Shape.of(8), new float[8]))))
        .hasMessage("input x is [8], this graph takes [2, 8]");
  }

  /** Runs a graph twice on each engine; the second run must not see what the first left. */
  private static void compare(Consumer<GraphBuilder> model, double tolerance) {
    Graph graph = build(model);
    Random random = new Random(7);
    Map<String, Tensor> parameters = random(graph.parameters(), random, true);
    compare(graph, parameters, Variables.NONE, random, tolerance);
  }

  /** With variables in place of parameters. */
  private static void compareInTraining(Consumer<GraphBuilder> model, double tolerance) {
    Graph graph = build(model);
    Random random = new Random(7);
    Map<String, Tensor> parameters = random(graph.parameters(), random, true);
    compare(
        graph.varying(parameters.keySet()),
        Map.of(),
        Variables.copyOf(parameters),
        random,
        tolerance);
  }

  private static Graph build(Consumer<GraphBuilder> model) {
    GraphBuilder graph = new GraphBuilder();
    model.accept(graph);
    return graph.build();
  }

  private static void compare(
      Graph graph,
      Map<String, Tensor> parameters,
      Variables variables,
      Random random,
      double tolerance) {
    Executable expected = new ScalarEngine().compile(graph, parameters, variables);
    List<Executable> executables =
        List.of(
            ENGINE.compile(graph, parameters, variables),
            PLAIN.compile(graph, parameters, variables));
    for (int run = 0; run < 2; run++) {
      Map<String, Tensor> inputs = random(graph.inputs(), random, false);
      inputs.computeIfPresent("mask", (name, tensor) -> mask(tensor, random));
      Map<String, Tensor> want = expected.run(inputs);
      List<Map<String, Tensor>> results = new ArrayList<>();
      for (Executable executable : executables) {
        Map<String, Tensor> got = executable.run(inputs);
        assertThat(got.keySet()).containsExactlyElementsOf(want.keySet());
        got.forEach((name, tensor) -> compare(name, tensor, want.get(name), tolerance));
        results.add(got);
        if (graph.variables().isEmpty()) {
          results.add(executable.run(inputs));
        }
      }
      // A result must not depend on the moment at which the vector kernels take over, nor on
      // whether it is an executable's first, for which no weights are packed.
      for (Map<String, Tensor> result : results) {
        result.forEach((name, tensor) ->
            assertThat(tensor.toFloats()).isEqualTo(results.getFirst().get(name).toFloats()));
      }
    }
  }

  private static void compare(String name, Tensor got, Tensor want, double tolerance) {
    assertThat(got.shape()).isEqualTo(want.shape());
    float[] left = got.toFloats();
    float[] right = want.toFloats();
    for (int i = 0; i < right.length; i++) {
      if (!(Math.abs(left[i] - right[i]) <= tolerance * (1 + Math.abs(right[i])))) {
        throw new AssertionError(
            "%s[%d] is %s, the oracle says %s".formatted(name, i, left[i], right[i]));
      }
    }
  }

  /** Gaussian values; weights are scaled so that a linear layer keeps the variance. */
  private static Map<String, Tensor> random(
      Map<String, Value> values, Random random, boolean scaled) {
    Map<String, Tensor> tensors = new HashMap<>();
    values.forEach((name, value) -> {
      float[] floats = new float[(int) value.shape().elements()];
      double deviation = scaled ? 1 / Math.sqrt(value.shape().last()) : 1;
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) (random.nextGaussian() * deviation);
      }
      tensors.put(name, Tensor.of(value.shape(), floats));
    });
    return tensors;
  }

  /** Ones and zeros; the first key of every row is seen. */
  private static Tensor mask(Tensor tensor, Random random) {
    float[] floats = new float[(int) tensor.shape().elements()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = i % tensor.shape().last() == 0 || random.nextInt(3) > 0 ? 1 : 0;
    }
    return Tensor.of(tensor.shape(), floats);
  }
}
