package dev.tessera.model;

import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;

/** An image model that shares a space with a text model. */
sealed interface ImageTower extends VisionModel permits ClipVision, SiglipVision {
  /**
   * Appends the tower, whose place in the shared space is the output {@code image_embeds}, of
   * length 1, and with {@link Outputs#STAGES} also {@code image_features}, of any length.
   *
   * @param stage the beginning of the names of the other stages
   */
  void append(GraphBuilder graph, int batch, int height, int width, Outputs outputs, String stage);

  @Override
  default Graph graph(int batch, int height, int width, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    append(graph, batch, height, width, outputs, "");
    return graph.build();
  }

  @Override
  default int labels() {
    return 0;
  }
}
