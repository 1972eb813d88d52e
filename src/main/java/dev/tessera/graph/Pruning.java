package dev.tessera.graph;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Cuts a graph down to what one of its outputs needs. */
public final class Pruning {
  private Pruning() {}

  /**
   * The part of {@code graph} that computes the output {@code name}, which is its only output.
   *
   * @throws IllegalArgumentException if the graph has no such output
   */
  public static Graph to(Graph graph, String name) {
    Value output = graph.outputs().get(name);
    if (output == null) {
      throw new IllegalArgumentException(
          "no output " + name + " among " + graph.outputs().keySet());
    }
    BitSet needed = new BitSet(graph.valueCount());
    needed.set(output.id());
    // Values are computed before they are read, so one pass from the end finds all that is read.
    Deque<Op> kept = new ArrayDeque<>();
    for (Op op : graph.operations().reversed()) {
      if (op.outputs().stream().anyMatch(value -> needed.get(value.id()))) {
        kept.addFirst(op);
        for (Value input : op.inputs()) {
          needed.set(input.id());
        }
      }
    }
    return new Graph(
        needed(graph.inputs(), needed),
        needed(graph.parameters(), needed),
        needed(graph.variables(), needed),
        List.copyOf(kept),
        Collections.singletonMap(name, output),
        graph.valueCount());
  }

  private static Map<String, Value> needed(Map<String, Value> values, BitSet needed) {
    Map<String, Value> kept = new LinkedHashMap<>(values);
    kept.values().removeIf(value -> !needed.get(value.id()));
    return kept;
  }
}
