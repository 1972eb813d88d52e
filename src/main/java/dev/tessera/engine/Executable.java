package dev.tessera.engine;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Map;

/** A graph made ready by an {@link Engine}. Runs one batch at a time; not safe for two threads. */
public interface Executable {
  /**
   * Executes the graph.
   *
   * @param inputs a tensor of the declared shape for each input of the graph, by name; more are
   *     ignored
   * @return a new F32 tensor for each output of the graph, by name, in the graph's order
   * @throws IllegalArgumentException if an input is missing or has another shape
   */
  Map<String, Tensor> run(Map<String, Tensor> inputs);

  /** The tensor fed for an input, after checking that it is there and has the graph's shape. */
  static Tensor input(Map<String, Tensor> inputs, String name, Shape shape) {
    Tensor tensor = inputs.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("input " + name + " is missing");
    }
    if (!tensor.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "input " + name + " is " + tensor.shape() + ", this graph takes " + shape);
    }
    return tensor;
  }
}
