package dev.tessera.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class GraphBuilderTest {
  private final GraphBuilder g = new GraphBuilder();

  @Test
  void declaresParametersUnderTheCheckpointsNames() {
    Value x = g.input("x", Shape.of(2, 5, 8));
    Value y = g.linear(x, "layer.0.dense", 3);
    g.output("y", y);
    Graph graph = g.build();
    assertThat(graph.parameters()).containsOnlyKeys("layer.0.dense.weight", "layer.0.dense.bias");
    assertThat(graph.parameters().get("layer.0.dense.weight").shape()).isEqualTo(Shape.of(3, 8));
    assertThat(graph.outputs().get("y").shape()).isEqualTo(Shape.of(2, 5, 3));
    assertThat(graph.useCounts()[y.id()]).isEqualTo(1);
  }

  @Test
  void patchesIgnorePixelsBeyondTheLastWholePatch() {
    Value image = g.input("pixel_values", Shape.of(1, 3, 35, 49));
    assertThat(g.patches(image, 16, 16).shape()).isEqualTo(Shape.of(1, 6, 768));
  }

  @Test
  void concatRepeatsPartsWithoutABatch() {
    Value token = g.parameter("cls_token", Shape.of(1, 1, 8));
    Value patches = g.input("x", Shape.of(4, 9, 8));
    assertThat(g.concat(List.of(token, patches)).shape()).isEqualTo(Shape.of(4, 10, 8));
  }

  @Test
  void embeddingAddsTheTablesWidth() {
    Value ids = g.input("input_ids", Shape.of(2, 5));
    Value table = g.parameter("table", Shape.of(100, 8));
    assertThat(g.embedding(ids, table).shape()).isEqualTo(Shape.of(2, 5, 8));
    assertThatThrownBy(() -> g.embedding(ids, g.parameter("flat", Shape.of(8))))
        .hasMessage("embedding needs [rows, width], got [8]");
    assertThatThrownBy(() -> g.embedding(ids, g.parameter("large", Shape.of(20_000_000, 2))))
        .hasMessageContaining("[20000000, 2] has more rows");
  }

  @Test
  void refusesShapesThatDoNotFit() {
    Value x = g.input("x", Shape.of(2, 5, 8));
    Value weight = g.parameter("w", Shape.of(3, 7));
    assertThatThrownBy(() -> g.linear(x, weight, null)).hasMessageContaining("[3, 7]");
    assertThatThrownBy(() -> g.add(x, g.parameter("p", Shape.of(1, 4, 8))))
        .hasMessage("add: [1, 4, 8] cannot be repeated over [2, 5, 8]");
    assertThatThrownBy(() -> g.attention(x, x, x, 3)).hasMessageContaining("8 features in 3 heads");
    assertThatThrownBy(() -> g.slice(x, 1, 4, 6)).hasMessageContaining("outside axis 1");
    assertThatThrownBy(() -> g.gated(Activation.SILU, g.linear(x, "odd", 5)))
        .hasMessageContaining("odd");
    assertThatThrownBy(() -> g.patches(g.input("i", Shape.of(1, 3, 8, 40)), 16, 16))
        .hasMessageContaining("smaller than one patch");
    assertThatThrownBy(() -> g.parameter("w", Shape.of(3, 8))).hasMessageContaining("here");
  }
}
