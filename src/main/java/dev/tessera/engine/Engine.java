package dev.tessera.engine;

import dev.tessera.graph.Graph;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Map;

/**
 * Turns graphs into something that runs. An engine keeps what it prepares of the parameters (packed
 * weights) and shares it between the graphs compiled for one model; closing it frees that memory
 * and ends its threads.
 */
public interface Engine extends AutoCloseable {
  /** As {@code --device} names it: {@code scalar}, {@code cpu}. */
  String name();

  /** One line for people: what it runs on, how wide, how many threads. */
  String description();

  /**
   * Prepares a graph.
   *
   * @param parameters a tensor of any floating type for each parameter of the graph, by name; must
   *     stay alive and unchanged as long as the executable
   * @throws IllegalArgumentException if a parameter is missing or has another shape
   */
  default Executable compile(Graph graph, Map<String, Tensor> parameters) {
    return compile(graph, parameters, Variables.NONE);
  }

  /**
   * Prepares a graph that has variables.
   *
   * @param variables the arrays of the graph's variables: read and changed on every run, so that
   *     graphs compiled with the same ones see each other's changes
   * @throws IllegalArgumentException if a parameter or a variable is missing or has another shape
   */
  Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables);

  /**
   * Whether preparing a graph takes so long, or so much memory, that it is better to pad inputs to
   * a few shapes than to prepare a graph for each shape that comes up.
   */
  default boolean wantsFewShapes() {
    return false;
  }

  /** Makes whatever becomes fast only after a while fast now; returns when it is. */
  default void warmUp() {}

  @Override
  void close();

  /** The tensor of each parameter, after checking that it is there and has the graph's shape. */
  static Tensor parameter(Graph graph, Map<String, Tensor> parameters, String name) {
    Tensor tensor = parameters.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("no parameter " + name);
    }
    Value value = graph.parameters().get(name);
    if (value == null) {
      throw new IllegalArgumentException("the graph has no parameter " + name);
    }
    Shape shape = value.shape();
    if (tensor.shape().elements() != shape.elements()) {
      throw new IllegalArgumentException(
          "parameter " + name + " is " + tensor.shape() + ", the model needs " + shape);
    }
    return tensor;
  }
}
