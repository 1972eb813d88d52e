package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
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
  private final float[] packedRows;
  private final float[][] tiles;

  Compiler(CpuEngine engine, Graph graph, Constants constants) {
    this.engine = engine;
    this.graph = graph;
    this.constants = constants;
    this.plan = MemoryPlan.of(graph, constants);
    this.packedRows = new float[largestPackedInput()];
    this.tiles = new float[engine.pool().size()][ROWS * COLUMNS];
  }

  CpuExecutable compile() {
    List<Op> operations =
        graph.operations().stream()
            // A view shares the array of what it views, by the memory plan.
            .filter(op -> !constants.contains(op.output()) && !(op instanceof Op.Reshape))
            .toList();
    for (int i = 0; i < operations.size(); ) {
      if (operations.get(i) instanceof Op.Linear first) {
        int end = groupEnd(operations, i, first);
        linear(operations.subList(i, end));
        i = end;
      } else {
        other(operations.get(i++));
      }
    }
    return new CpuExecutable(engine, graph, constants, plan, steps);
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

  private void linear(List<Op> group) {
    List<LinearStep.Layer> layers = new ArrayList<>();
    for (Op op : group) {
      Op.Linear linear = (Op.Linear) op;
      Value bias = linear.bias();
      Value scale = linear.epilogue().scale();
      Value residual = linear.epilogue().residual();
      PackedMatrix weights =
          engine.pack(
              constants.tensor(linear.weight()),
              bias == null ? null : constants.tensor(bias),
              scale == null ? null : constants.tensor(scale));
      layers.add(
          new LinearStep.Layer(
              weights,
              linear.epilogue().activation(),
              residual == null ? null : array(residual),
              array(linear.output())));
    }
    Value input = group.getFirst().inputs().getFirst();
    steps.add(
        new LinearStep(
            array(input),
            packedRows,
            (int) input.shape().rows(),
            input.shape().last(),
            layers,
            tiles));
  }

  private void other(Op op) {
    Value output = op.output();
    int count = (int) output.shape().elements();
    steps.add(
        switch (op) {
          case Op.Linear _ -> throw new AssertionError("grouped before");
          case Op.Patches patches ->
              MovementSteps.patches(patches, array(patches.input()), array(output));
          case Op.Embedding(Value ids, Value table, Value _) ->
              MovementSteps.embedding(
                  array(ids), elements(ids), rows(table), table.shape(), array(output));
          case Op.LayerNorm norm ->
              new LayerNormStep(
                  array(norm.input()),
                  constants.floats(norm.weight()),
                  constants.floats(norm.bias()),
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
              ElementwiseSteps.add(
                  array(left), array(right), elements(right), array(output), count);
          case Op.Multiply(Value left, Value right, Value _) ->
              ElementwiseSteps.multiply(
                  array(left), array(right), elements(right), array(output), count);
          case Op.Scale(Value input, float factor, Value _) ->
              ElementwiseSteps.scale(array(input), factor, array(output), count);
          case Op.Attention a ->
              attention(
                  a.query(), a.key(), a.value(), a.keyMask(), a.heads(), a.scale(), a.causal(), op);
          case Op.AttentionProbabilities a ->
              attention(
                  a.query(), a.key(), null, a.keyMask(), a.heads(), a.scale(), a.causal(), op);
          case Op.Concat concat ->
              MovementSteps.concat(
                  concat, concat.parts().stream().map(this::array).toList(), array(output));
          case Op.ConcatFeatures concat ->
              MovementSteps.concatFeatures(
                  concat, array(concat.left()), array(concat.right()), array(output));
          case Op.Slice slice -> MovementSteps.slice(slice, array(slice.input()), array(output));
          case Op.MeanTokens mean ->
              MovementSteps.meanTokens(mean, array(mean.input()), array(output));
          case Op.Reshape _ -> throw new AssertionError("a view takes no step");
          case Op.ResizePositions _ ->
              throw new IllegalArgumentException("position embeddings must be parameters");
        });
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
    AttentionStep.Sizes sizes =
        new AttentionStep.Sizes(
            query.shape().extent(0),
            heads,
            query.shape().extent(1),
            key.shape().extent(1),
            query.shape().last() / heads);
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
    AttentionStep.Buffers[] buffers = new AttentionStep.Buffers[engine.pool().size()];
    for (int i = 0; i < buffers.length; i++) {
      buffers[i] = new AttentionStep.Buffers(engine.arena(), sizes);
    }
    return buffers;
  }

  private float[] array(Value value) {
    return constants.contains(value) ? constants.floats(value) : plan.array(value);
  }

  /** Rows of a table as they are needed: a checkpoint's stays in the mapped file as it is. */
  private MovementSteps.Rows rows(Value table) {
    if (constants.contains(table)) {
      return constants.tensor(table)::copyTo;
    }
    float[] rows = plan.array(table);
    return (from, target, offset, count) ->
        System.arraycopy(rows, (int) from, target, offset, count);
  }

  private static int elements(Value value) {
    return (int) value.shape().elements();
  }

  private int largestPackedInput() {
    int largest = 0;
    for (Op op : graph.operations()) {
      if (op instanceof Op.Linear linear && !constants.contains(op.output())) {
        int rows = (int) linear.input().shape().rows();
        int floats = Lanes.rowTiles(rows) * ROWS * linear.input().shape().last();
        largest = Math.max(largest, floats);
      }
    }
    return largest;
  }
}
