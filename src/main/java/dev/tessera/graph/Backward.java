package dev.tessera.graph;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reverse-mode differentiation of a graph: appends the operations that compute how a loss changes
 * with chosen values (Griewank and Walther, "Evaluating Derivatives", chapter 3).
 *
 * <p>Operations are visited last to first; each hands its output's gradient on to its inputs. Where
 * a value has several readers their gradients are summed, for the widest operations within the
 * operation itself. Values that no wanted value influences are left out.
 */
public final class Backward {
  private final GraphBuilder graph;
  private final List<Op> forward;
  private final boolean[] needed;
  private final @Nullable Value[] gradients;

  private Backward(GraphBuilder graph, Collection<Value> wanted) {
    this.graph = graph;
    this.forward = List.copyOf(graph.operations());
    int values = graph.valueCount();
    needed = new boolean[values];
    gradients = new Value[values];
    wanted.forEach(value -> needed[value.id()] = true);
    for (Op op : forward) {
      boolean influenced = op.inputs().stream().anyMatch(value -> needed[value.id()]);
      op.outputs().forEach(value -> needed[value.id()] |= influenced);
    }
  }

  /**
   * Appends the gradients of {@code loss}.
   *
   * @param graph holds the operations up to the loss, not yet fused
   * @param loss one number
   * @param wanted by name, what the loss is differentiated by
   * @return for each name the gradient, in the value's shape
   * @throws IllegalArgumentException if the loss does not depend on a wanted value, or an operation
   *     in between has no gradient
   */
  public static Map<String, Value> of(GraphBuilder graph, Value loss, Map<String, Value> wanted) {
    if (loss.shape().elements() != 1) {
      throw new IllegalArgumentException("a loss is one number, got " + loss.shape());
    }
    Backward backward = new Backward(graph, wanted.values());
    backward.run(loss);
    Map<String, Value> gradients = new LinkedHashMap<>();
    wanted.forEach((name, value) -> {
      Value gradient = backward.gradients[value.id()];
      if (gradient == null) {
        throw new IllegalArgumentException("the loss does not depend on " + name);
      }
      gradients.put(name, gradient);
    });
    return gradients;
  }

  private void run(Value loss) {
    gradients[loss.id()] = graph.fill(loss.shape(), 1f);
    for (Op op : forward.reversed()) {
      Value gradient = gradients[op.output().id()];
      if (gradient != null && needed[op.output().id()]) {
        differentiate(op, gradient);
      }
    }
  }

  private void differentiate(Op op, Value g) {
    switch (op) {
      case Op.Linear linear -> linear(linear, g);
      case Op.LayerNorm norm -> layerNorm(norm, g);
      case Op.RmsNorm norm -> rmsNorm(norm, g);
      case Op.Attention attention -> attention(attention, g);
      case Op.Add(Value left, Value right, Value _) -> {
        give(left, g);
        giveIfNeeded(right, () -> reduced(g, right));
      }
      case Op.Multiply multiply -> multiply(multiply, g);
      case Op.Scale(Value x, float factor, Value _) -> give(x, graph.scale(g, factor));
      case Op.Activate(Activation activation, Value x, Value _) ->
          give(x, append(x, output -> new GradientOp.Activate(activation, x, g, output)));
      case Op.Gated(Activation activation, Value x, Value _) ->
          give(x, append(x, output -> new GradientOp.Gated(activation, x, g, output)));
      case Op.L2Normalize(Value x, float epsilon, Value _) ->
          give(x, append(x, output -> new GradientOp.L2Normalize(x, g, epsilon, output)));
      case Op.Softmax(Value x, Value y) ->
          give(x, append(x, output -> new GradientOp.Softmax(y, g, output)));
      case Op.LogSoftmax(Value x, Value y) ->
          give(x, append(x, output -> new GradientOp.LogSoftmax(y, g, output)));
      case Op.CrossEntropy loss -> {
        require(!needed[loss.targets().id()], "targets of a cross-entropy have no gradient");
        give(
            loss.logits(),
            append(loss.logits(), output -> new GradientOp.CrossEntropy(loss, g, output)));
      }
      case Op.MeanSquaredError(Value x, Value target, Value _) -> {
        require(!needed[target.id()], "the target of a mean squared error has no gradient");
        give(x, append(x, output -> new GradientOp.MeanSquaredError(x, target, g, output)));
      }
      case Op.Dropout(Value x, Value seed, float rate, int salt, int run, Value _) ->
          give(x, graph.dropout(g, seed, rate, salt, run));
      case Op.Concat concat -> concat(concat, g);
      case Op.ConcatFeatures(Value left, Value right, Value _) -> {
        int width = left.shape().last();
        int axis = g.shape().rank() - 1;
        giveIfNeeded(left, () -> graph.slice(g, axis, 0, width));
        giveIfNeeded(right, () -> graph.slice(g, axis, width, g.shape().last()));
      }
      case Op.Slice(Value x, int axis, int from, Value _) ->
          give(x, append(x, output -> new GradientOp.Pad(g, axis, from, output)));
      case Op.MeanTokens(Value x, Value _) ->
          give(x, append(x, output -> new GradientOp.SpreadTokens(g, output)));
      case Op.Reshape(Value x, Value _) -> give(x, graph.reshape(g, x.shape()));
      case Op.Patches(Value x, int height, int width, Value _) ->
          give(x, append(x, output -> new GradientOp.Patches(g, height, width, output)));
      case Op.ResizePositions resize ->
          give(
              resize.input(),
              append(resize.input(), output -> new GradientOp.ResizePositions(resize, g, output)));
      case Op.Embedding(Value ids, Value table, Value _) -> {
        require(!needed[ids.id()], "ids have no gradient");
        give(table, append(table, output -> new GradientOp.Embedding(ids, g, output)));
      }
      case Op.PositionOf _ -> {}
      case Op.Fill _ -> {}
      case Op.AttentionProbabilities _ ->
          throw new IllegalArgumentException("attention probabilities have no gradient");
      case GradientOp _, UpdateOp _ ->
          throw new IllegalArgumentException("there are no second derivatives: " + op);
    }
  }

  private void linear(Op.Linear op, Value g) {
    require(op.epilogue().equals(Epilogue.NONE), "differentiate before fusing");
    Value x = op.input();
    Value weight = op.weight();
    if (needed[x.id()]) {
      Value sofar = gradients[x.id()];
      gradients[x.id()] = append(x, output -> new GradientOp.LinearInput(g, weight, sofar, output));
    }
    giveIfNeeded(weight, () -> append(weight, output -> new GradientOp.LinearWeight(g, x, output)));
    Value bias = op.bias();
    if (bias != null) {
      giveIfNeeded(bias, () -> reduced(g, bias));
    }
  }

  private void layerNorm(Op.LayerNorm op, Value g) {
    Value x = op.input();
    Value sofar = gradients[x.id()];
    Value byWeight = graph.value(op.weight().shape());
    Value byBias = graph.value(op.bias().shape());
    gradients[x.id()] =
        append(
            x,
            output ->
                new GradientOp.LayerNorm(
                    x, op.weight(), g, sofar, op.epsilon(), output, byWeight, byBias));
    give(op.weight(), byWeight);
    give(op.bias(), byBias);
  }

  private void rmsNorm(Op.RmsNorm op, Value g) {
    Value byWeight = graph.value(op.weight().shape());
    give(
        op.input(),
        append(
            op.input(),
            output ->
                new GradientOp.RmsNorm(
                    op.input(), op.weight(), g, op.epsilon(), output, byWeight)));
    give(op.weight(), byWeight);
  }

  private void attention(Op.Attention op, Value g) {
    Value byKey = graph.value(op.key().shape());
    Value byValue = graph.value(op.value().shape());
    Value byQuery =
        append(
            op.query(),
            output ->
                new GradientOp.Attention(
                    op.query(),
                    op.key(),
                    op.value(),
                    op.keyMask(),
                    op.heads(),
                    op.scale(),
                    op.causal(),
                    g,
                    output,
                    byKey,
                    byValue));
    give(op.query(), byQuery);
    give(op.key(), byKey);
    give(op.value(), byValue);
  }

  private void multiply(Op.Multiply op, Value g) {
    giveIfNeeded(op.left(), () -> graph.multiply(g, op.right()));
    giveIfNeeded(op.right(), () -> reduced(graph.multiply(g, op.left()), op.right()));
  }

  private void concat(Op.Concat op, Value g) {
    int at = 0;
    for (Value part : op.parts()) {
      int from = at;
      at += part.shape().extent(1);
      int to = at;
      giveIfNeeded(part, () -> reduced(graph.slice(g, 1, from, to), part));
    }
  }

  /** The gradient of a value that was repeated to the gradient's shape. */
  private Value reduced(Value g, Value repeated) {
    if (g.shape().elements() == repeated.shape().elements()) {
      return graph.reshape(g, repeated.shape());
    }
    return append(repeated, output -> new GradientOp.SumLeading(g, output));
  }

  private void giveIfNeeded(Value value, Supplier<Value> gradient) {
    if (needed[value.id()]) {
      give(value, gradient.get());
    }
  }

  /** Adds to the gradient of {@code value}. */
  private void give(Value value, Value gradient) {
    if (needed[value.id()]) {
      Value sofar = gradients[value.id()];
      gradients[value.id()] = sofar == null ? gradient : graph.add(sofar, gradient);
    }
  }

  private Value append(Value like, GraphBuilder.Operation operation) {
    return graph.append(like.shape(), operation);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
