package dev.tessera.engine.cpu;

import dev.tessera.engine.Constants;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Assigns every computed value to an array, reusing the arrays of values that nothing reads any
 * more. Elementwise operations and residual sums write over an operand that dies with them.
 */
final class MemoryPlan {
  private final int[] slotOf;
  private final float[][] arrays;

  private MemoryPlan(int[] slotOf, List<Integer> sizes) {
    this.slotOf = slotOf;
    this.arrays = new float[sizes.size()][];
    for (int slot = 0; slot < arrays.length; slot++) {
      arrays[slot] = new float[sizes.get(slot)];
    }
  }

  /** The array of an input or of a computed value; its first elements are the value. */
  float[] array(Value value) {
    return arrays[slotOf[value.id()]];
  }

  /** Floats in all arrays together. */
  long floats() {
    return Arrays.stream(arrays).mapToLong(array -> array.length).sum();
  }

  static MemoryPlan of(Graph graph, Constants constants) {
    int[] lastUse = lastUses(graph);
    int[] slotOf = new int[graph.valueCount()];
    Arrays.fill(slotOf, -1);
    List<Integer> sizes = new ArrayList<>();
    List<Integer> free = new ArrayList<>();
    int[] readers = new int[graph.valueCount()]; // live values in a slot, indexed by slot
    for (Value input : graph.inputs().values()) {
      slotOf[input.id()] = allocate(input, sizes, free);
      readers[slotOf[input.id()]]++;
    }
    for (int i = 0; i < graph.operations().size(); i++) {
      Op op = graph.operations().get(i);
      if (constants.contains(op.output())) {
        continue;
      }
      // A variable has no array in the plan, so what views it is a copy.
      Value reused =
          op instanceof Op.Reshape(Value input, Value _) && slotOf[input.id()] >= 0 ? input : null;
      if (reused == null) {
        Value candidate = overwritable(op);
        if (candidate != null
            && slotOf[candidate.id()] >= 0
            && lastUse[candidate.id()] == i
            && readers[slotOf[candidate.id()]] == 1
            && candidate.shape().elements() == op.output().shape().elements()) {
          reused = candidate;
        }
      }
      for (Value output : outputs(op)) {
        int slot =
            reused != null && output.equals(op.output())
                ? slotOf[reused.id()]
                : allocate(output, sizes, free);
        slotOf[output.id()] = slot;
        readers[slot]++;
      }
      for (Value input : op.inputs().stream().distinct().toList()) {
        int freed = slotOf[input.id()];
        if (freed >= 0 && lastUse[input.id()] == i && --readers[freed] == 0) {
          free.add(freed);
        }
      }
      for (Value output : outputs(op)) {
        int slot = slotOf[output.id()];
        if (lastUse[output.id()] < 0 && --readers[slot] == 0) {
          free.add(slot);
        }
      }
    }
    return new MemoryPlan(slotOf, sizes);
  }

  /** What an operation writes that needs an array: a variable has one outside of the plan. */
  private static List<Value> outputs(Op op) {
    return op instanceof UpdateOp ? List.of() : op.outputs();
  }

  /** Index of the last operation that reads each value; outputs are read at the very end. */
  private static int[] lastUses(Graph graph) {
    int[] last = new int[graph.valueCount()];
    Arrays.fill(last, -1);
    for (int i = 0; i < graph.operations().size(); i++) {
      for (Value input : graph.operations().get(i).inputs()) {
        last[input.id()] = i;
      }
    }
    for (Value output : graph.outputs().values()) {
      last[output.id()] = Integer.MAX_VALUE;
    }
    return last;
  }

  /** The operand that {@code op} may write its result over, element by element. */
  private static @Nullable Value overwritable(Op op) {
    return switch (op) {
      case Op.Linear linear when linear.epilogue().activation() == Activation.IDENTITY ->
          linear.epilogue().residual();
      case Op.Add add -> add.left();
      case Op.Multiply multiply -> multiply.left();
      case Op.Scale scale -> scale.input();
      case Op.Activate activate -> activate.input();
      case Op.Dropout dropout -> dropout.input();
      case GradientOp.LinearInput linear -> linear.residual();
      case GradientOp.Activate activate -> activate.gradient();
      case GradientOp.LayerNorm norm -> norm.residual() == null ? norm.gradient() : norm.residual();
      default -> null;
    };
  }

  /** The smallest free slot that holds the value, else the largest grown, else a new one. */
  private static int allocate(Value value, List<Integer> sizes, List<Integer> free) {
    int size = Math.toIntExact(value.shape().elements());
    int best = -1;
    for (int slot : free) {
      if (best < 0) {
        best = slot;
        continue;
      }
      boolean fits = sizes.get(slot) >= size;
      boolean bestFits = sizes.get(best) >= size;
      if ((fits && (!bestFits || sizes.get(slot) < sizes.get(best)))
          || (!fits && !bestFits && sizes.get(slot) > sizes.get(best))) {
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
}
