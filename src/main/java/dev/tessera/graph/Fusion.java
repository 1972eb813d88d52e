package dev.tessera.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Folds what follows a linear layer into its {@link Epilogue}: either an activation, or a
 * LayerScale and a residual sum, each only where nothing else reads the value in between.
 *
 * <p>The fused graph computes the same outputs; it saves a pass over memory for each folded
 * operation.
 */
public final class Fusion {
  private Fusion() {}

  public static Graph fuse(Graph graph) {
    int[] uses = graph.useCounts();
    boolean[] isParameter = new boolean[graph.valueCount()];
    graph.parameters().values().forEach(value -> isParameter[value.id()] = true);

    // Position in `fused` of the linear layer that computes a value, or -1.
    int[] linearOf = new int[graph.valueCount()];
    Arrays.fill(linearOf, -1);
    List<@Nullable Op> fused = new ArrayList<>(graph.operations().size());
    for (Op op : graph.operations()) {
      Op.@Nullable Linear merged = null;
      int at = -1;
      for (Value value : op.inputs()) {
        at = linearOf[value.id()];
        if (at >= 0 && uses[value.id()] == 1 && fused.get(at) instanceof Op.Linear linear) {
          merged = merge(linear, op, isParameter);
          if (merged != null) {
            break;
          }
        }
      }
      if (merged == null) {
        if (op instanceof Op.Linear) {
          linearOf[op.output().id()] = fused.size();
        }
        fused.add(op);
      } else {
        // The residual may be computed after the linear layer's old place: move it to the end.
        fused.set(at, null);
        linearOf[op.output().id()] = fused.size();
        fused.add(merged);
      }
    }
    List<Op> operations = new ArrayList<>(fused.size());
    for (@Nullable Op op : fused) {
      if (op != null) {
        operations.add(op);
      }
    }
    return new Graph(
        graph.inputs(),
        graph.parameters(),
        graph.variables(),
        operations,
        graph.outputs(),
        graph.valueCount());
  }

  /** The linear layer that also does what {@code next} does to its output; null if it cannot. */
  private static Op.@Nullable Linear merge(Op.Linear linear, Op next, boolean[] isParameter) {
    Value product = linear.output();
    Epilogue epilogue = linear.epilogue();
    Epilogue extended =
        switch (next) {
          case Op.Activate(Activation activation, Value _, Value _)
              when epilogue.equals(Epilogue.NONE) ->
              new Epilogue(activation, null, null);
          case Op.Multiply(Value left, Value right, Value _)
              when left.equals(product)
                  && isParameter[right.id()]
                  && isParameter[linear.weight().id()]
                  && right.shape().elements() == product.shape().last()
                  && epilogue.equals(Epilogue.NONE) ->
              new Epilogue(Activation.IDENTITY, right, null);
          case Op.Add(Value left, Value right, Value _)
              when left.shape().equals(right.shape())
                  && epilogue.activation() == Activation.IDENTITY
                  && epilogue.residual() == null ->
              new Epilogue(
                  Activation.IDENTITY, epilogue.scale(), left.equals(product) ? right : left);
          default -> null;
        };
    return extended == null
        ? null
        : new Op.Linear(linear.input(), linear.weight(), linear.bias(), extended, next.output());
  }
}
