package dev.tessera.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.engine.Engine;
import dev.tessera.engine.cpu.FixedKernels;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

class NarrowingTest {
  private static final int TOKENS = 9;
  private static final int HIDDEN = 8;

  /** Two pre-norm blocks, then what the test does with their output. */
  private static Graph blocks(boolean causal, BiFunction<GraphBuilder, Value, Value> head) {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, TOKENS, HIDDEN));
    x = g.add(x, g.parameter("positions", Shape.of(1, TOKENS, HIDDEN)));
    for (int n = 0; n < 2; n++) {
      Value normed = g.layerNorm(x, n + "norm1", 1e-6f);
      Value attended =
          g.attention(
              g.linear(normed, n + "q", HIDDEN),
              g.linear(normed, n + "k", HIDDEN),
              g.linear(normed, n + "v", HIDDEN),
              null,
              2,
              causal);
      Value scaled = g.multiply(attended, g.parameter(n + "scale", Shape.of(HIDDEN)));
      x = g.add(g.linear(scaled, n + "o", HIDDEN), x);
      Value in = g.linear(g.layerNorm(x, n + "norm2", 1e-6f), n + "in", 4 * HIDDEN);
      x = g.add(g.linear(g.gated(Activation.SILU, in), n + "out", HIDDEN), x);
    }
    g.output("y", head.apply(g, g.layerNorm(x, "norm", 1e-6f)));
    return g.build();
  }

  @Test
  void theLastBlockIsComputedForTheClassTokenAlone() {
    Graph whole = blocks(false, (g, x) -> g.linear(g.token(x, 0), "head", 3));
    Graph narrow = Narrowing.narrow(whole);
    assertSame(whole, narrow);
    assertThat(products(narrow)).isLessThan(products(whole) * 7 / 10);
    long queriesOfOneToken =
        narrow.operations().stream()
            .filter(op -> op instanceof Op.Attention a && a.query().shape().extent(1) == 1)
            .count();
    assertThat(queriesOfOneToken).isEqualTo(1);
  }

  @Test
  void severalTokensAreOneRange() {
    Graph whole = blocks(false, (g, x) -> g.add(g.token(x, 4), g.token(x, 2)));
    Graph narrow = Narrowing.narrow(whole);
    assertSame(whole, narrow);
    assertThat(narrow.operations())
        .anyMatch(op -> op instanceof Op.Attention a && a.query().shape().extent(1) == 3);
  }

  @Test
  void whatReadsAllTokensKeepsThem() {
    Graph whole = blocks(false, (g, x) -> g.meanTokens(g.slice(x, 1, 1, TOKENS)));
    assertSame(whole, Narrowing.narrow(whole));
    Graph mean = blocks(false, (g, x) -> g.meanTokens(x));
    assertThat(products(Narrowing.narrow(mean))).isEqualTo(products(mean));
    assertSame(mean, Narrowing.narrow(mean));
  }

  @Test
  void aCausalMaskCountsAllQueries() {
    Graph whole = blocks(true, (g, x) -> g.token(x, TOKENS - 1));
    assertSame(whole, Narrowing.narrow(whole));
  }

  @Test
  void anOutputStaysWhole() {
    Graph whole =
        blocks(
            false,
            (g, x) -> {
              g.output("all", x);
              return g.token(x, 0);
            });
    Graph narrow = Narrowing.narrow(whole);
    assertSame(whole, narrow);
    assertThat(products(narrow)).isEqualTo(products(whole));
  }

  private static long products(Graph graph) {
    return graph.operations().stream()
        .mapToLong(op ->
            op instanceof Op.Linear linear
                ? linear.output().shape().elements() * linear.input().shape().last()
                : 0)
        .sum();
  }

  /** Bit for bit, on an engine whose tiles the narrowed rows fall into differently. */
  private static void assertSame(Graph whole, Graph narrow) {
    Random random = new Random(5);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    whole.parameters().forEach((name, value) -> parameters.put(name, uniform(value, random)));
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    whole.inputs().forEach((name, value) -> inputs.put(name, uniform(value, random)));
    try (Engine engine = FixedKernels.vectorised(2)) {
      Map<String, Tensor> expected = engine.compile(whole, parameters).run(inputs);
      Map<String, Tensor> actual = engine.compile(narrow, parameters).run(inputs);
      expected.forEach((name, tensor) -> {
        assertThat(actual.get(name).shape()).isEqualTo(tensor.shape());
        assertThat(actual.get(name).toFloats()).as(name).isEqualTo(tensor.toFloats());
      });
    }
  }

  private static Tensor uniform(Value value, Random random) {
    float[] values = new float[(int) value.shape().elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat(-1, 1);
    }
    return Tensor.of(value.shape(), values);
  }
}
