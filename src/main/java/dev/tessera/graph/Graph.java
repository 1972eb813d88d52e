package dev.tessera.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A computation of static shape: named inputs and parameters, operations in an order in which every
 * value is computed before it is read, and named outputs.
 *
 * @param inputs what a caller feeds on every run, under {@code transformers}' argument names
 * @param parameters what the checkpoint holds, under the checkpoint's names
 * @param operations in execution order
 * @param outputs what a run returns
 * @param valueCount ids of values run from 0 to {@code valueCount - 1}
 */
public record Graph(
    Map<String, Value> inputs,
    Map<String, Value> parameters,
    List<Op> operations,
    Map<String, Value> outputs,
    int valueCount) {
  public Graph {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    operations = List.copyOf(operations);
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
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
