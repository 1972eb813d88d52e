package dev.tessera.engine.cpu;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Variables;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns a fused graph into steps bound to their arrays. */
final class Compiler {
  private final CpuEngine engine;
  private final Graph graph;
  private final Constants constants;
  private final MemoryPlan plan;
  private final List<Step> steps = new ArrayList<>();
  private final Map<AttentionStep.Sizes, AttentionStep.Buffers[]> attentionBuffers =
      new HashMap<>();
  private final float[] @Nullable [] variables;
  private final Products products;
  private final GradientCompiler gradients;

  Compiler(CpuEngine engine, Graph graph, Constants constants, Variables variables) {
    this.engine = engine;
    this.graph = graph;
    this.constants = constants;
    this.plan = MemoryPlan.of(graph, constants);
    this.variables = new float[graph.valueCount()][];
    for (Map.Entry<String, Value> entry : graph.variables().entrySet()) {
      Value value = entry.getValue();
      this.variables[value.id()] = variables.get(entry.getKey(), value.shape());
    }
    this.products = new Products(engine, graph, constants, this::array);
    this.gradients = new GradientCompiler(engine, products, this::array, graph.valueCount());
  }

  @SuppressWarnings("ReferenceEquality") // whether two values share an array
  CpuExecutable compile() {
    List<Op> operations =
        graph.operations().stream().filter(op -> !constants.contains(op.output())).toList();
    for (int i = 0; i < operations.size(); ) {
      switch (operations.get(i)) {
        case Op.Linear first -> {
          int end = groupEnd(operations, i, first);
          steps.add(products.linear(operations.subList(i, end)));
          i = end;
        }
        case GradientOp.LinearWeight weight -> {
          Value bias = i + 1 < operations.size() ? biasOf(weight, operations.get(i + 1)) : null;
          steps.add(products.linearWeight(weight, bias));
          i += bias == null ? 1 : 2;
        }
        case GradientOp gradient -> {
          steps.add(gradients.step(gradient));
          i++;
        }
        case UpdateOp update -> {
          steps.add(gradients.step(update));
          i++;
        }
        // A view shares the array of what it views, by the memory plan.
        case Op.Reshape view when array(view.input()) == array(view.output()) -> i++;
        case Op op -> {
          steps.add(other(op));
          i++;
        }
      }
    }
    return new CpuExecutable(engine, graph, this::array, steps);
  }

  /**
   * Linear layers after {@code first} that read the same input run with it. Those with a residual
   * do not: the memory plan, which goes by order, may give them an array that the group still
   * reads.
   */
  private static int groupEnd(List<Op> operations, int start, Op.Linear first) {
    int end = start + 1;
    while (first.epilogue().residual() == null
        && end < operations.size()
        && operations.get(end) instanceof Op.Linear next
        && next.input().equals(first.input())
        && next.epilogue().residual() == null) {
      end++;
    }
    return end;
  }

  /** What {@code next} makes of the same gradients: that by the layer's bias, or null. */
  private static @Nullable Value biasOf(GradientOp.LinearWeight weight, Op next) {
    return next instanceof GradientOp.SumLeading(Value gradients, Value bias)
            && gradients.equals(weight.gradient())
            && bias.shape().elements() == gradients.shape().last()
        ? bias
        : null;
  }

  private Step other(Op op) {
    Value output = op.output();
    int count = (int) output.shape().elements();
    return switch (op) {
      case Op.Linear _, GradientOp _, UpdateOp _ -> throw new AssertionError("not here");
      case Op.Patches patches ->
          MovementSteps.patches(patches, array(patches.input()), array(output));
      case Op.Embedding(Value ids, Value table, Value _) ->
          MovementSteps.embedding(
              array(ids), elements(ids), rows(table), table.shape(), array(output));
      case Op.LayerNorm norm ->
          new LayerNormStep(
              array(norm.input()),
              array(norm.weight()),
              array(norm.bias()),
              norm.epsilon(),
              (int) output.shape().rows(),
              array(output));
      case Op.Activate activate ->
          ElementwiseSteps.activate(
              activate.activation(), array(activate.input()), array(output), count);
      case Op.Gated gated ->
          ElementwiseSteps.gated(
              gated.activation(),
              array(gated.input()),
              output.shape().last(),
              array(output),
              (int) output.shape().rows());
      case Op.Add(Value left, Value right, Value _) ->
          ElementwiseSteps.add(array(left), array(right), elements(right), array(output), count);
      case Op.Multiply(Value left, Value right, Value _) ->
          ElementwiseSteps.multiply(
              array(left), array(right), elements(right), array(output), count);
      case Op.Scale(Value input, float factor, Value _) ->
          ElementwiseSteps.scale(array(input), factor, array(output), count);
      case Op.Attention a when !graph.variables().isEmpty() -> gradients.attention(a);
      case Op.L2Normalize norm when !graph.variables().isEmpty() ->
          GradientSteps.l2Normalize(norm, array(norm.input()), array(output));
      case Op.Attention a ->
          attention(
              a.query(), a.key(), a.value(), a.keyMask(), a.heads(), a.scale(), a.causal(), op);
      case Op.AttentionProbabilities a ->
          attention(a.query(), a.key(), null, a.keyMask(), a.heads(), a.scale(), a.causal(), op);
      case Op.Concat concat ->
          MovementSteps.concat(
              concat, concat.parts().stream().map(this::array).toList(), array(output));
      case Op.ConcatFeatures concat ->
          MovementSteps.concatFeatures(
              concat, array(concat.left()), array(concat.right()), array(output));
      case Op.Slice slice -> MovementSteps.slice(slice, array(slice.input()), array(output));
      case Op.MeanTokens mean -> MovementSteps.meanTokens(mean, array(mean.input()), array(output));
      case Op.Reshape reshape ->
          ElementwiseSteps.copy(array(reshape.input()), array(output), count);
      case Op.Dropout dropout ->
          GradientSteps.dropout(
              dropout, array(dropout.input()), array(dropout.seed()), array(output));
      case Op.CrossEntropy loss ->
          LossSteps.crossEntropy(loss, array(loss.logits()), array(loss.targets()), array(output));
      case Op.Fill _,
          Op.PositionOf _,
          Op.RmsNorm _,
          Op.L2Normalize _,
          Op.Softmax _,
          Op.LogSoftmax _,
          Op.MeanSquaredError _,
          Op.ResizePositions _ ->
          gradients.oracle(op);
    };
  }

  private AttentionStep attention(
      Value query,
      Value key,
      @Nullable Value value,
      @Nullable Value keyMask,
      int heads,
      float scale,
      boolean causal,
      Op op) {
    AttentionStep.Sizes sizes = AttentionStep.Sizes.of(query, key, heads);
    return new AttentionStep(
        sizes,
        array(query),
        array(key),
        value == null ? null : array(value),
        keyMask == null ? null : array(keyMask),
        scale,
        causal,
        array(op.output()),
        attentionBuffers.computeIfAbsent(sizes, this::buffers));
  }

  private AttentionStep.Buffers[] buffers(AttentionStep.Sizes sizes) {
    return engine
        .pool()
        .perWorker(
            () -> new AttentionStep.Buffers(engine.arena(), sizes), AttentionStep.Buffers[]::new);
  }

  private float[] array(Value value) {
    float[] variable = variables[value.id()];
    if (variable != null) {
      return variable;
    }
    return constants.contains(value) ? constants.floats(value) : plan.array(value);
  }

  /** Rows of a table as they are needed: a checkpoint's stays in the mapped file as it is. */
  private MovementSteps.Rows rows(Value table) {
    if (constants.contains(table)) {
      return constants.tensor(table)::copyTo;
    }
    float[] rows = array(table);
    return (from, target, offset, count) ->
        System.arraycopy(rows, (int) from, target, offset, count);
  }

  private static int elements(Value value) {
    return (int) value.shape().elements();
  }
}
