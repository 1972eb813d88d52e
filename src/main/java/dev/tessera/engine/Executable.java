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
   * @throws IllegalArgumentException if an input is missing, has another shape or holds an id that
   *     an embedding has no row for
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

  /** The row of a table that {@code id} stands for, after checking that the table has it. */
  static int row(float id, int rows) {
    int row = (int) id;
    if (row != id || row < 0 || row >= rows) {
      throw new IllegalArgumentException(
          "id "
              + (row == id ? Integer.toString(row) : Float.toString(id))
              + " is none of the "
              + rows
              + " rows of the embedding");
    }
    return row;
  }
}
