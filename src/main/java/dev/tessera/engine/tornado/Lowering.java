package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Variables;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Activations;
import dev.tessera.kernels.Dropout;
import dev.tessera.kernels.Elementwise;
import dev.tessera.kernels.Embedding;
import dev.tessera.kernels.Reductions;
import dev.tessera.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Turns a fused graph into kernels bound to their arrays, with the kernels that the device gets.
 */
final class Lowering {
  private final TornadoEngine engine;
  private final Graph graph;
  private final Emitter emitter;
  private final KernelContext context;

  Lowering(TornadoEngine engine, Graph graph, Constants constants) {
    this.engine = engine;
    this.graph = graph;
    emitter = new Emitter(engine, graph, constants);
    context = emitter.context;
  }

  TornadoExecutable executable(Variables variables) {
    for (Op op : graph.operations()) {
      if (!emitter.isConstant(op.output())) {
        lower(op);
      }
    }
    Map<String, TornadoExecutable.Output> outputs = new LinkedHashMap<>();
    graph
        .outputs()
        .forEach((name, value) -> {
          FloatArray result = new FloatArray(elements(value));
          emitter.copy(value, 0, 0, result, 0, 0, 1, elements(value));
          outputs.put(name, new TornadoExecutable.Output(value.shape(), result));
        });
    List<TornadoExecutable.Input> inputs = new ArrayList<>();
    graph
        .inputs()
        .forEach((name, value) ->
            inputs.add(
                new TornadoExecutable.Input(
                    name, value.shape(), emitter.array(value), rows(value))));
    Set<TornadoNativeArray> changed = new HashSet<>();
    emitter.steps().forEach(step -> changed.addAll(step.changed()));
    List<Deployment.Variable> varying = new ArrayList<>();
    graph
        .variables()
        .forEach((name, value) ->
            varying.add(
                new Deployment.Variable(
                    variables.variable(name, value.shape()),
                    emitter.array(value),
                    changed.contains(emitter.array(value)))));
    return new TornadoExecutable(
        engine, emitter.steps(), emitter.uploads(), inputs, varying, outputs);
  }

  /** As many rows as the smallest table has that an input chooses rows of; 0 if there is none. */
  private int rows(Value input) {
    int rows = 0;
    for (Op op : graph.operations()) {
      if (op instanceof Op.Embedding(Value ids, Value table, Value _)
          && !emitter.isConstant(op.output())
          && emitter.root(ids) == input.id()) {
        int has = table.shape().extent(0);
        rows = rows == 0 ? has : Math.min(rows, has);
      }
    }
    return rows;
  }

  private void lower(Op op) {
    switch (op) {
      case Op.Linear linear -> LayerSteps.linear(emitter, linear);
      case Op.Attention attention -> LayerSteps.attention(emitter, attention);
      case Op.AttentionProbabilities p -> LayerSteps.probabilities(emitter, p);
      case Op.LayerNorm norm -> RowSteps.layerNorm(emitter, norm);
      case Op.RmsNorm norm -> RowSteps.rmsNorm(emitter, norm);
      case Op.L2Normalize norm -> RowSteps.l2Normalize(emitter, norm);
      case Op.Softmax softmax -> RowSteps.softmax(emitter, softmax);
      case Op.LogSoftmax softmax -> RowSteps.logSoftmax(emitter, softmax);
      case Op.Patches patches -> patches(patches);
      case Op.Embedding embedding -> embedding(embedding);
      case Op.Activate activate -> activate(activate);
      case Op.Gated gated -> gated(gated);
      case Op.Add add -> add(add);
      case Op.Multiply(Value left, Value right, Value output) ->
          emitter.multiply(
              emitter.array(left),
              emitter.array(right),
              emitter.array(output),
              elements(output),
              elements(right));
      case Op.Scale(Value input, float factor, Value output) ->
          emitter.scale(emitter.array(input), emitter.array(output), elements(output), factor);
      case Op.Concat concat -> concat(concat);
      case Op.ConcatFeatures concat -> concatFeatures(concat);
      case Op.Slice slice -> slice(slice);
      case Op.MeanTokens mean -> meanTokens(mean);
      case Op.Reshape _ -> {}
      case Op.ResizePositions _ ->
          throw new IllegalArgumentException("position embeddings must be parameters");
      case Op.Fill(float value, Value output) ->
          emitter.fill(emitter.array(output), elements(output), value);
      case Op.PositionOf position -> positionOf(position);
      case Op.Dropout dropout -> dropout(dropout);
      case Op.CrossEntropy loss -> LossSteps.crossEntropy(emitter, loss);
      case Op.MeanSquaredError loss -> LossSteps.squaredError(emitter, loss);
      case GradientOp gradient -> GradientSteps.lower(emitter, gradient);
      case UpdateOp update -> UpdateSteps.lower(emitter, update);
    }
  }

  private void positionOf(Op.PositionOf op) {
    FloatArray ids = emitter.array(op.ids());
    FloatArray y = emitter.array(op.output());
    int batch = op.ids().shape().extent(0);
    int tokens = op.ids().shape().extent(1);
    emitter.add(
        "position",
        emitter.items(batch),
        List.of(ids, y),
        (g, id) -> g.task(id, Embedding::positions, context, ids, y, batch, tokens, op.wanted()));
  }

  private void dropout(Op.Dropout op) {
    FloatArray x = emitter.array(op.input());
    FloatArray seed = emitter.array(op.seed());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    emitter.add(
        "dropout",
        emitter.items(n),
        List.of(x, seed, y),
        (g, id) ->
            g.task(
                id,
                Dropout::runs,
                context,
                x,
                seed,
                y,
                n,
                op.run(),
                op.salt(),
                op.rate(),
                1f / (1f - op.rate())));
  }

  private void patches(Op.Patches op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    Shape in = op.input().shape();
    emitter.add(
        "patches",
        emitter.items(n),
        List.of(x, y),
        (g, id) ->
            g.task(
                id,
                Elementwise::patches,
                context,
                x,
                y,
                n,
                in.extent(1),
                in.extent(2),
                in.extent(3),
                op.patchHeight(),
                op.patchWidth()));
  }

  private void embedding(Op.Embedding op) {
    FloatArray ids = emitter.array(op.ids());
    FloatArray table = emitter.array(op.table());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    int width = op.table().shape().last();
    int entries = op.table().shape().extent(0);
    emitter.add(
        "embedding",
        emitter.items(n),
        List.of(ids, table, y),
        (g, id) ->
            g.task(id, Embedding::lookUp, context, ids, table, y, n / width, width, entries));
  }

  private void activate(Op.Activate op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    int kind = Emitter.kind(op.activation());
    emitter.add(
        "activate",
        emitter.items(n),
        List.of(x, y),
        (g, id) -> g.task(id, Activations::activate, context, x, y, n, kind));
  }

  private void gated(Op.Gated op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    int width = op.output().shape().last();
    int kind = Emitter.kind(op.activation());
    emitter.add(
        "gated",
        emitter.items(n),
        List.of(x, y),
        (g, id) -> g.task(id, Activations::gated, context, x, y, n / width, width, kind));
  }

  private void add(Op.Add op) {
    FloatArray a = emitter.array(op.left());
    FloatArray b = emitter.array(op.right());
    FloatArray y = emitter.array(op.output());
    int n = elements(op.output());
    int period = elements(op.right());
    emitter.add(
        "add",
        emitter.items(n),
        List.of(a, b, y),
        (g, id) -> g.task(id, Elementwise::add, context, a, b, y, n, period));
  }

  private void concat(Op.Concat op) {
    FloatArray y = emitter.array(op.output());
    int batch = op.output().shape().extent(0);
    int image = elements(op.output()) / batch;
    int to = 0;
    for (Value part : op.parts()) {
      int length = part.shape().extent(1) * part.shape().extent(2);
      int step = part.shape().extent(0) == 1 ? 0 : length;
      emitter.copy(part, 0, step, y, to, image, batch, length);
      to += length;
    }
  }

  private void concatFeatures(Op.ConcatFeatures op) {
    FloatArray y = emitter.array(op.output());
    int a = op.left().shape().last();
    int b = op.right().shape().last();
    int rows = elements(op.output()) / (a + b);
    emitter.copy(op.left(), 0, a, y, 0, a + b, rows, a);
    emitter.copy(op.right(), 0, b, y, a, a + b, rows, b);
  }

  private void slice(Op.Slice op) {
    Shape in = op.input().shape();
    int inner = in.stride(op.axis());
    int taken = op.output().shape().extent(op.axis()) * inner;
    int step = in.extent(op.axis()) * inner;
    int count = elements(op.output()) / taken;
    FloatArray y = emitter.array(op.output());
    emitter.copy(op.input(), op.from() * inner, step, y, 0, taken, count, taken);
  }

  private void meanTokens(Op.MeanTokens op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    Shape in = op.input().shape();
    emitter.add(
        "mean",
        emitter.items(elements(op.output())),
        List.of(x, y),
        (g, id) ->
            g.task(
                id,
                Reductions::meanTokens,
                context,
                x,
                y,
                in.extent(0),
                in.extent(1),
                in.extent(2)));
  }
}
