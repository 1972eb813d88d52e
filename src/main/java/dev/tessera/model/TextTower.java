package dev.tessera.model;

import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.tensor.Shape;
import java.util.List;
import java.util.Map;

/** A text model that shares a space with an image model. */
sealed interface TextTower extends TextModel permits ClipText, SiglipText {
  /** Width of the shared space. */
  int projection();

  /**
   * Appends the tower, whose place in the shared space is the output {@code text_embeds}, of length
   * 1, and with {@link Outputs#STAGES} also {@code text_features}, of any length.
   *
   * @param stage the beginning of the names of the other stages
   */
  void append(GraphBuilder graph, Map<String, Shape> inputs, Outputs outputs, String stage);

  @Override
  default Graph graph(Map<String, Shape> inputs, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    append(graph, inputs, outputs, "");
    return graph.build();
  }

  @Override
  default List<String> inputNames() {
    return List.of(IDS, MASK, POSITIONS);
  }
}
