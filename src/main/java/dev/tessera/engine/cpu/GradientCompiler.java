package dev.tessera.engine.cpu;

import dev.tessera.engine.cpu.AttentionGradientStep.Projections;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Turns gradients and updates into steps bound to their arrays. */
final class GradientCompiler {
  private final CpuEngine engine;
  private final Products products;
  private final Function<Value, float[]> arrays;
  private final int valueCount;
  private final Map<AttentionStep.Sizes, HeadRows.Scratch[]> headScratch = new HashMap<>();

  GradientCompiler(
      CpuEngine engine, Products products, Function<Value, float[]> arrays, int valueCount) {
    this.engine = engine;
    this.products = products;
    this.arrays = arrays;
    this.valueCount = valueCount;
  }

  Step step(GradientOp op) {
    return switch (op) {
      case GradientOp.LinearInput linear -> products.linearInput(linear);
      case GradientOp.SumLeading(Value input, Value output) ->
          GradientSteps.sumLeading(
              array(input), elements(input) / elements(output), elements(output), array(output));
      case GradientOp.Activate a ->
          GradientSteps.activate(
              a.activation(),
              array(a.input()),
              array(a.gradient()),
              array(a.output()),
              elements(a.output()));
      case GradientOp.LayerNorm norm -> layerNorm(norm);
      case GradientOp.Attention attention -> attention(attention);
      case GradientOp.CrossEntropy loss ->
          LossSteps.crossEntropyGradient(
              loss,
              array(loss.loss().logits()),
              array(loss.loss().targets()),
              array(loss.gradient()),
              array(loss.output()));
      case GradientOp.Pad pad -> MovementSteps.pad(pad, array(pad.gradient()), array(pad.output()));
      case GradientOp.Norm norm ->
          GradientSteps.norm(
              norm.gradients().stream().map(arrays).toList(),
              norm.gradients().stream().mapToInt(GradientCompiler::elements).toArray(),
              norm.maximum(),
              array(norm.output()));
      case GradientOp.Gated _,
          GradientOp.RmsNorm _,
          GradientOp.L2Normalize _,
          GradientOp.Softmax _,
          GradientOp.LogSoftmax _,
          GradientOp.MeanSquaredError _,
          GradientOp.SpreadTokens _,
          GradientOp.Patches _,
          GradientOp.ResizePositions _,
          GradientOp.Embedding _ ->
          oracle(op);
      case GradientOp.LinearWeight _ -> throw new AssertionError("with its bias");
    };
  }

  Step oracle(Op op) {
    return new OracleStep(
        op,
        op.inputs().stream().map(arrays).toList(),
        op.outputs().stream().map(arrays).toList(),
        valueCount);
  }

  private Step layerNorm(GradientOp.LayerNorm op) {
    if (op.weight().shape().last() % Lanes.WIDTH != 0) {
      // A masked tail would have the JIT box the vectors of the whole loop; no usual model has one.
      return oracle(op);
    }
    return GradientSteps.layerNorm(
        array(op.input()),
        array(op.weight()),
        array(op.gradient()),
        nullable(op.residual()),
        op.epsilon(),
        (int) op.input().shape().rows(),
        array(op.output()),
        array(op.weightGradient()),
        array(op.biasGradient()));
  }

  /** Attention in a training: a single image is sooner done with {@link AttentionStep}. */
  Step attention(Op.Attention op) {
    return new AttentionRowsStep(
        heads(op.query(), op.key(), op.keyMask(), op.heads(), op.scale(), op.causal()),
        array(op.query()),
        array(op.key()),
        array(op.value()),
        array(op.output()));
  }

  private Step attention(GradientOp.Attention op) {
    return new AttentionGradientStep(
        heads(op.query(), op.key(), op.keyMask(), op.heads(), op.scale(), op.causal()),
        new Projections(array(op.query()), array(op.key()), array(op.value())),
        array(op.gradient()),
        new Projections(array(op.output()), array(op.keyGradient()), array(op.valueGradient())));
  }

  private HeadRows heads(
      Value query, Value key, @Nullable Value keyMask, int heads, float scale, boolean causal) {
    AttentionStep.Sizes sizes = AttentionStep.Sizes.of(query, key, heads);
    HeadRows.Scratch[] scratch =
        headScratch.computeIfAbsent(
            sizes,
            _ ->
                engine
                    .pool()
                    .perWorker(
                        () -> new HeadRows.Scratch(engine.arena(), sizes),
                        HeadRows.Scratch[]::new));
    return new HeadRows(sizes, nullable(keyMask), scale, causal, scratch);
  }

  Step step(UpdateOp op) {
    return switch (op) {
      case UpdateOp.Adam adam ->
          UpdateSteps.adam(
              adam,
              array(adam.parameter()),
              array(adam.gradient()),
              array(adam.first()),
              array(adam.second()),
              array(adam.norm()),
              array(adam.schedule()));
      case UpdateOp.Sgd sgd ->
          UpdateSteps.sgd(
              sgd,
              array(sgd.parameter()),
              array(sgd.gradient()),
              nullable(sgd.velocity()),
              array(sgd.norm()),
              array(sgd.schedule()));
      case UpdateOp.Average average ->
          UpdateSteps.average(average, array(average.average()), array(average.parameter()));
      case UpdateOp.Accumulate accumulate ->
          UpdateSteps.accumulate(accumulate, array(accumulate.sum()), array(accumulate.gradient()));
      case UpdateOp.Clear(Value variable) -> {
        float[] array = array(variable);
        yield (pool, kernels) -> Arrays.fill(array, 0f);
      }
    };
  }

  private float[] array(Value value) {
    return arrays.apply(value);
  }

  private float @Nullable [] nullable(@Nullable Value value) {
    return value == null ? null : arrays.apply(value);
  }

  private static int elements(Value value) {
    return (int) value.shape().elements();
  }
}
