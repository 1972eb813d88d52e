package dev.tessera.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.tensor.Shape;
import org.junit.jupiter.api.Test;

class FusionTest {
  @Test
  void foldsActivationScaleAndResidualIntoTheLinearLayer() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    Value hidden = g.activate(Activation.GELU, g.linear(x, "up", 6));
    Value lambda = g.parameter("lambda", Shape.of(4));
    Value y = g.add(x, g.multiply(g.linear(hidden, "down", 4), lambda));
    g.output("y", y);

    Graph fused = Fusion.fuse(g.build());

    assertThat(fused.operations()).hasSize(2);
    Op.Linear up = (Op.Linear) fused.operations().get(0);
    Op.Linear down = (Op.Linear) fused.operations().get(1);
    assertThat(up.epilogue()).isEqualTo(new Epilogue(Activation.GELU, null, null));
    assertThat(down.epilogue()).isEqualTo(new Epilogue(Activation.IDENTITY, lambda, x));
    assertThat(down.output()).isEqualTo(y);
  }

  @Test
  void leavesValuesAloneThatSomethingElseReads() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    Value product = g.output("product", g.linear(x, "a", 4));
    g.output("y", g.activate(Activation.RELU, product));
    Value twice = g.linear(x, "b", 4);
    g.output("z", g.add(twice, twice));

    assertThat(Fusion.fuse(g.build()).operations()).hasSize(4);
  }

  @Test
  void doesNotActivateAfterAResidual() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    g.output("y", g.activate(Activation.RELU, g.add(x, g.linear(x, "a", 4))));

    Graph fused = Fusion.fuse(g.build());

    assertThat(fused.operations()).hasSize(2);
    assertThat(fused.operations().get(1)).isInstanceOf(Op.Activate.class);
  }

  @Test
  void foldsNoResidualBehindAnActivation() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    g.output("y", g.add(x, g.activate(Activation.GELU, g.linear(x, "a", 4))));

    Graph fused = Fusion.fuse(g.build());

    assertThat(fused.operations()).hasSize(2);
    assertThat(fused.operations().get(1)).isInstanceOf(Op.Add.class);
  }

  @Test
  void movesTheLinearLayerBehindItsResidual() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    Value first = g.linear(x, "a", 4);
    Value late = g.scale(x, 2);
    g.output("y", g.add(first, late));

    Graph fused = Fusion.fuse(g.build());

    assertThat(fused.operations()).hasSize(2);
    assertThat(fused.operations().get(0)).isInstanceOf(Op.Scale.class);
    assertThat(fused.operations().get(1)).isInstanceOf(Op.Linear.class);
  }
}
