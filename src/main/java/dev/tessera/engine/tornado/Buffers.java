package dev.tessera.engine.tornado;

import dev.tessera.engine.Constants;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The device's arrays: one for each input and variable, and as few as possible for what is computed
 * between, shared by values of which one is no longer read when the other is written.
 */
final class Buffers {
  private final Map<Integer, FloatArray> inputs = new LinkedHashMap<>();
  private final int[] rootOf;
  private final int[] slotOf;
  private final FloatArray[] slots;

  Buffers(Graph graph, Constants constants) {
    for (Value input : graph.inputs().values()) {
      inputs.put(input.id(), new FloatArray(elements(input)));
    }
    for (Value variable : graph.variables().values()) {
      inputs.put(variable.id(), new FloatArray(elements(variable)));
    }
    rootOf = roots(graph);
    slotOf = new int[graph.valueCount()];
    Arrays.fill(slotOf, -1);
    int[] lastUse = lastUses(graph);
    List<Integer> sizes = new ArrayList<>();
    List<Integer> free = new ArrayList<>();
    for (int i = 0; i < graph.operations().size(); i++) {
      Op op = graph.operations().get(i);
      if (constants.contains(op.output()) || op instanceof Op.Reshape) {
        continue;
      }
      if (!(op instanceof UpdateOp)) { // which writes variables
        for (Value output : op.outputs()) {
          slotOf[output.id()] = allocate(elements(output), sizes, free);
        }
      }
      for (int id = 0; id < slotOf.length; id++) {
        if (slotOf[id] >= 0 && lastUse[id] <= i) {
          free.add(slotOf[id]);
          lastUse[id] = Integer.MAX_VALUE; // given back once
        }
      }
    }
    slots = sizes.stream().map(FloatArray::new).toArray(FloatArray[]::new);
  }

  /** The array of an input, a variable or a computed value; its first elements are the value. */
  FloatArray array(Value value) {
    int root = rootOf[value.id()];
    FloatArray input = inputs.get(root);
    return input == null ? slots[slotOf[root]] : input;
  }

  /** The id of the value that a value is a view of. */
  int root(Value value) {
    return rootOf[value.id()];
  }

  /** The value that each value is a view of, itself where it is none. */
  private static int[] roots(Graph graph) {
    int[] roots = new int[graph.valueCount()];
    Arrays.setAll(roots, id -> id);
    for (Op op : graph.operations()) {
      if (op instanceof Op.Reshape(Value input, Value output)) {
        roots[output.id()] = roots[input.id()];
      }
    }
    return roots;
  }

  /** The slot that holds as much with least to spare, else the largest, grown; else a new one. */
  private static int allocate(int size, List<Integer> sizes, List<Integer> free) {
    int best = -1;
    for (int slot : free) {
      int has = sizes.get(slot);
      int bestHas = best < 0 ? -1 : sizes.get(best);
      if (best < 0 || (bestHas < size ? has > bestHas : has >= size && has < bestHas)) {
        best = slot;
      }
    }
    if (best < 0) {
      sizes.add(size);
      return sizes.size() - 1;
    }
    free.remove(Integer.valueOf(best));
    sizes.set(best, Math.max(sizes.get(best), size));
    return best;
  }

  /**
   * The position of the last operation that reads each value, itself or a view of it; outputs are
   * read at the end. A value that nothing reads dies where it is computed.
   */
  private static int[] lastUses(Graph graph) {
    int[] last = new int[graph.valueCount()];
    List<Op> operations = graph.operations();
    for (int i = 0; i < operations.size(); i++) {
      for (Value output : operations.get(i).outputs()) {
        last[output.id()] = i;
      }
      for (Value input : operations.get(i).inputs()) {
        last[input.id()] = i;
      }
    }
    for (Value output : graph.outputs().values()) {
      last[output.id()] = operations.size();
    }
    for (int i = operations.size() - 1; i >= 0; i--) {
      if (operations.get(i) instanceof Op.Reshape(Value input, Value output)) {
        last[input.id()] = Math.max(last[input.id()], last[output.id()]);
      }
    }
    return last;
  }

  static int elements(Value value) {
    return Math.toIntExact(value.shape().elements());
  }
}
