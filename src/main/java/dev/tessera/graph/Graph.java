package dev.tessera.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A computation of static shape: named inputs and parameters, operations in an order in which every
 * value is computed before it is read, and named outputs.
 *
 * @param inputs what a caller feeds on every run, under {@code transformers}' argument names
 * @param parameters what the checkpoint holds, under the checkpoint's names
 * @param variables arrays that the engine keeps from run to run and {@link UpdateOp}s change: the
 *     parameters of a model in training and what its optimiser remembers
 * @param operations in execution order
 * @param outputs what a run returns
 * @param valueCount ids of values run from 0 to {@code valueCount - 1}
 */
public record Graph(
    Map<String, Value> inputs,
    Map<String, Value> parameters,
    Map<String, Value> variables,
    List<Op> operations,
    Map<String, Value> outputs,
    int valueCount) {
  public Graph {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    operations = List.copyOf(operations);
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
  }

  /** This graph with the parameters of these names as variables; other names are ignored. */
  public Graph varying(Set<String> names) {
    Map<String, Value> fixed = new LinkedHashMap<>(parameters);
    Map<String, Value> varied = new LinkedHashMap<>(variables);
    for (String name : names) {
      Value value = fixed.remove(name);
      if (value != null) {
        varied.put(name, value);
      }
    }
    return new Graph(inputs, fixed, varied, operations, outputs, valueCount);
  }

  /** How many operations and outputs read each value, by id. */
  public int[] useCounts() {
    int[] uses = new int[valueCount];
    for (Op op : operations) {
      for (Value value : op.inputs()) {
        uses[value.id()]++;
      }
    }
    for (Value value : outputs.values()) {
      uses[value.id()]++;
    }
    return uses;
  }
}
