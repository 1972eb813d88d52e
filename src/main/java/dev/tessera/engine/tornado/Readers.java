package dev.tessera.engine.tornado;

import dev.tessera.engine.Constants;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** Which operations read what another one makes, as it is or as a view. */
final class Readers {
  /** Those that become kernels, in their order. */
  private final List<Op> operations = new ArrayList<>();

  private final IdentityHashMap<Op, Integer> places = new IdentityHashMap<>();

  /** Places of operations by the roots of what they read. */
  private final Map<Integer, SortedSet<Integer>> readers = new HashMap<>();

  private final Set<Integer> results = new HashSet<>();
  private final Buffers buffers;

  Readers(Graph graph, Buffers buffers, Constants constants) {
    this.buffers = buffers;
    for (Op op : graph.operations()) {
      if (!(op instanceof Op.Reshape) && !constants.contains(op.output())) {
        int place = operations.size();
        operations.add(op);
        places.put(op, place);
        for (Value input : op.inputs()) {
          readers.computeIfAbsent(buffers.root(input), _ -> new TreeSet<>()).add(place);
        }
      }
    }
    graph.outputs().values().forEach(value -> results.add(buffers.root(value)));
  }

  /** All that read what an operation makes; none if it is a result of the graph, too. */
  List<Op> of(Op op) {
    int root = buffers.root(op.output());
    return results.contains(root)
        ? List.of()
        : readers.getOrDefault(root, new TreeSet<>()).stream().map(operations::get).toList();
  }

  /** What comes after an operation and before another. */
  List<Op> between(Op first, Op last) {
    return operations.subList(place(first) + 1, place(last));
  }

  private int place(Op op) {
    return Objects.requireNonNull(places.get(op));
  }
}
