package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.Shape;
import java.util.List;
import java.util.Map;

/** What a model computes, described without its weights. */
sealed interface Architecture permits VisionModel, TextModel, ImageText {
  /** The model's class in {@code transformers}, or {@code timm/} and the name there. */
  String architecture();

  /** The inputs that a graph may have, those that it must have first. */
  List<String> inputNames();

  /**
   * The graph for inputs of certain shapes.
   *
   * @param inputs shapes by names of {@link #inputNames}
   * @throws IllegalArgumentException if one is missing, or the shapes do not fit the model
   */
  Graph graph(Map<String, Shape> inputs, Outputs outputs);

  /** The smallest graph that has all parameters. */
  Graph example(Outputs outputs);

  /** Checks sizes in the config against the weights, before a graph is built by them. */
  void check(Weights weights) throws CheckpointException;
}
