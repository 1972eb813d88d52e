package dev.tessera.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.tensor.Shape;
import org.junit.jupiter.api.Test;

class PruningTest {
  @Test
  void keepsWhatOneOutputNeedsInItsOrder() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 4));
    g.input("unread", Shape.of(1));
    Value hidden = g.linear(x, "hidden", 6);
    Value features = g.output("features", g.activate(Activation.TANH, hidden));
    g.output("logits", g.linear(features, "classifier", 3));

    Graph pruned = Pruning.to(g.build(), "features");

    assertThat(pruned.outputs()).containsOnlyKeys("features").containsValue(features);
    assertThat(pruned.inputs()).containsOnlyKeys("x");
    assertThat(pruned.parameters()).containsOnlyKeys("hidden.weight", "hidden.bias");
    assertThat(pruned.operations()).hasSize(2);
    assertThat(pruned.operations().get(0)).isInstanceOf(Op.Linear.class);
    assertThat(pruned.operations().get(1).output()).isEqualTo(features);
  }

  @Test
  void namesTheOutputsThereAre() {
    GraphBuilder g = new GraphBuilder();
    g.output("y", g.scale(g.input("x", Shape.of(2)), 2));
    assertThatThrownBy(() -> Pruning.to(g.build(), "z"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no output z among [y]");
  }
}
