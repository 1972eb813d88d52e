package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Activations;
import dev.tessera.kernels.AttentionBackward;
import dev.tessera.kernels.Elementwise;
import dev.tessera.kernels.Embedding;
import dev.tessera.kernels.Grids;
import dev.tessera.kernels.L2Norm;
import dev.tessera.kernels.LayerNorm;
import dev.tessera.kernels.Reductions;
import dev.tessera.kernels.RmsNorm;
import dev.tessera.kernels.Softmax;
import dev.tessera.kernels.TiledAttentionBackward;
import dev.tessera.tensor.Shape;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Gradients, each the kernels of its operation's backward half. */
final class GradientSteps {
  /**
   * Sums of squares that are left for the last stage. As many groups read at once, and it takes
   * some 30 000 reads under way to use what a large GPU's memory can give (bandwidth × latency, 3
   * TB/s × 600 ns, over the 64 bytes or so that a work-item has under way).
   */
  private static final int MOST_SQUARES = 512;

  /** Elements that make another sum of squares worth while. */
  private static final int SQUARES_BLOCK = 1024;

  private GradientSteps() {}

  static void lower(Emitter emitter, GradientOp op) {
    switch (op) {
      case GradientOp.LinearInput linear -> linearInput(emitter, linear);
      case GradientOp.LinearWeight linear -> linearWeight(emitter, linear);
      case GradientOp.SumLeading(Value input, Value output) ->
          emitter.sumRows(
              emitter.array(input),
              elements(input) / elements(output),
              elements(output),
              emitter.array(output));
      case GradientOp.Activate activate -> activate(emitter, activate);
      case GradientOp.Gated gated -> gated(emitter, gated);
      case GradientOp.LayerNorm norm -> layerNorm(emitter, norm);
      case GradientOp.RmsNorm norm -> rmsNorm(emitter, norm);
      case GradientOp.L2Normalize norm -> l2Normalize(emitter, norm);
      case GradientOp.Softmax(Value p, Value gradient, Value output) ->
          softmax(emitter, p, gradient, output);
      case GradientOp.LogSoftmax(Value logs, Value gradient, Value output) ->
          logSoftmax(emitter, logs, gradient, output);
      case GradientOp.Attention attention -> attention(emitter, attention);
      case GradientOp.CrossEntropy loss -> LossSteps.crossEntropyGradient(emitter, loss);
      case GradientOp.MeanSquaredError loss -> LossSteps.squaredErrorGradient(emitter, loss);
      case GradientOp.Pad pad -> pad(emitter, pad);
      case GradientOp.SpreadTokens spread -> spreadTokens(emitter, spread);
      case GradientOp.Embedding embedding -> embedding(emitter, embedding);
      case GradientOp.Norm norm -> norm(emitter, norm);
      case GradientOp.Patches patches -> patches(emitter, patches);
      case GradientOp.ResizePositions _ ->
          throw new IllegalArgumentException("position embeddings are resized before training");
    }
  }

  /** dX = dY·W. */
  private static void linearInput(Emitter emitter, GradientOp.LinearInput op) {
    int out = op.gradient().shape().last();
    int in = op.output().shape().last();
    emitter.multiply(
        "linearInput",
        new Emitter.Matrix<>(emitter.array(op.gradient()), out, 1),
        new Emitter.Matrix<>(emitter.array(op.weight()), 1, in),
        new Emitter.End(null, Activation.IDENTITY, emitter.nullable(op.residual())),
        emitter.array(op.output()),
        elements(op.gradient()) / out,
        in,
        out);
  }

  /** dW = dYᵀ·X. */
  private static void linearWeight(Emitter emitter, GradientOp.LinearWeight op) {
    int out = op.gradient().shape().last();
    int in = op.input().shape().last();
    emitter.multiply(
        "linearWeight",
        new Emitter.Matrix<>(emitter.array(op.gradient()), 1, out),
        new Emitter.Matrix<>(emitter.array(op.input()), 1, in),
        Emitter.End.NONE,
        emitter.array(op.output()),
        out,
        in,
        elements(op.input()) / in);
  }

  private static void activate(Emitter emitter, GradientOp.Activate op) {
    FloatArray x = emitter.array(op.input());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    int n = elements(op.output());
    int kind = Emitter.kind(op.activation());
    emitter.add(
        "activateGradient",
        emitter.items(n),
        List.of(x, dy, dx),
        (g, id) -> g.task(id, Activations::activateBackward, emitter.context, x, dy, dx, n, kind));
  }

  private static void gated(Emitter emitter, GradientOp.Gated op) {
    FloatArray x = emitter.array(op.input());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    int n = elements(op.gradient());
    int width = op.gradient().shape().last();
    int kind = Emitter.kind(op.activation());
    emitter.add(
        "gatedGradient",
        emitter.items(n),
        List.of(x, dy, dx),
        (g, id) ->
            g.task(
                id,
                Activations::gatedBackward,
                emitter.context,
                x,
                dy,
                dx,
                n / width,
                width,
                kind));
  }

  private static void layerNorm(Emitter emitter, GradientOp.LayerNorm op) {
    FloatArray x = emitter.array(op.input());
    FloatArray weight = emitter.array(op.weight());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    int parts = Math.ceilDiv(rows, Emitter.SUM_BLOCK);
    FloatArray statistics = emitter.shared("statistics", 2 * rows);
    FloatArray weightParts = emitter.shared("weightParts", parts * width);
    FloatArray biasParts = emitter.shared("biasParts", parts * width);
    KernelContext context = emitter.context;
    emitter.add(
        "layerNormGradient",
        emitter.tiled ? Grids.groups(rows, LayerNorm.GROUP) : emitter.items(rows),
        List.of(x, weight, dy, dx, statistics),
        (g, id) ->
            g.task(
                id,
                emitter.tiled ? LayerNorm::groupedBackwardInput : LayerNorm::backwardInput,
                context,
                x,
                weight,
                dy,
                dx,
                statistics,
                rows,
                width,
                op.epsilon()));
    emitter.add(
        "layerNormParameters",
        emitter.items(parts * width),
        List.of(x, dy, statistics, weightParts, biasParts),
        (g, id) ->
            g.task(
                id,
                LayerNorm::backwardParameters,
                context,
                x,
                dy,
                statistics,
                weightParts,
                biasParts,
                rows,
                width,
                Emitter.SUM_BLOCK));
    emitter.sumRows(weightParts, parts, width, emitter.array(op.weightGradient()));
    emitter.sumRows(biasParts, parts, width, emitter.array(op.biasGradient()));
    FloatArray residual = emitter.nullable(op.residual());
    if (residual != null) {
      emitter.blend(residual, dx, elements(op.output()), 1, 1);
    }
  }

  private static void rmsNorm(Emitter emitter, GradientOp.RmsNorm op) {
    FloatArray x = emitter.array(op.input());
    FloatArray weight = emitter.array(op.weight());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    int parts = Math.ceilDiv(rows, Emitter.SUM_BLOCK);
    FloatArray inverses = emitter.shared("statistics", 2 * rows);
    FloatArray weightParts = emitter.shared("weightParts", parts * width);
    KernelContext context = emitter.context;
    emitter.add(
        "rmsNormGradient",
        emitter.items(rows),
        List.of(x, weight, dy, dx, inverses),
        (g, id) ->
            g.task(
                id,
                RmsNorm::backwardInput,
                context,
                x,
                weight,
                dy,
                dx,
                inverses,
                rows,
                width,
                op.epsilon()));
    emitter.add(
        "rmsNormWeight",
        emitter.items(parts * width),
        List.of(x, dy, inverses, weightParts),
        (g, id) ->
            g.task(
                id,
                RmsNorm::backwardWeight,
                context,
                x,
                dy,
                inverses,
                weightParts,
                rows,
                width,
                Emitter.SUM_BLOCK));
    emitter.sumRows(weightParts, parts, width, emitter.array(op.weightGradient()));
  }

  private static void l2Normalize(Emitter emitter, GradientOp.L2Normalize op) {
    FloatArray x = emitter.array(op.input());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    emitter.add(
        "l2NormalizeGradient",
        emitter.items(rows),
        List.of(x, dy, dx),
        (g, id) ->
            g.task(id, L2Norm::backward, emitter.context, x, dy, dx, rows, width, op.epsilon()));
  }

  private static void softmax(Emitter emitter, Value probabilities, Value gradient, Value output) {
    FloatArray p = emitter.array(probabilities);
    FloatArray dy = emitter.array(gradient);
    FloatArray dx = emitter.array(output);
    int width = output.shape().last();
    int rows = elements(output) / width;
    emitter.add(
        "softmaxGradient",
        emitter.items(rows),
        List.of(p, dy, dx),
        (g, id) -> g.task(id, Softmax::backward, emitter.context, p, dy, dx, rows, width));
  }

  private static void logSoftmax(Emitter emitter, Value logs, Value gradient, Value output) {
    FloatArray l = emitter.array(logs);
    FloatArray dy = emitter.array(gradient);
    FloatArray dx = emitter.array(output);
    int width = output.shape().last();
    int rows = elements(output) / width;
    emitter.add(
        "logSoftmaxGradient",
        emitter.items(rows),
        List.of(l, dy, dx),
        (g, id) -> g.task(id, Softmax::logBackward, emitter.context, l, dy, dx, rows, width));
  }

  private static void attention(Emitter emitter, GradientOp.Attention op) {
    LayerSteps.Heads sizes =
        LayerSteps.Heads.of(emitter, op.query(), op.key(), op.keyMask(), op.heads(), op.causal());
    FloatArray q = emitter.array(op.query());
    FloatArray k = emitter.array(op.key());
    FloatArray v = emitter.array(op.value());
    FloatArray mask = sizes.mask();
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dq = emitter.array(op.output());
    FloatArray dk = emitter.array(op.keyGradient());
    FloatArray dv = emitter.array(op.valueGradient());
    FloatArray statistics = emitter.shared("statistics", 3 * sizes.rows());
    KernelContext context = emitter.context;
    boolean tiled = emitter.tiled && sizes.width() <= TiledAttentionBackward.WIDTH;
    int pairs = sizes.batch() * sizes.heads();
    WorkerGrid queries =
        tiled ? TiledAttentionBackward.grid(sizes.queries(), pairs) : emitter.items(sizes.rows());
    WorkerGrid keys =
        tiled
            ? TiledAttentionBackward.grid(sizes.keys(), pairs)
            : emitter.items(pairs * sizes.keys());
    emitter.add(
        "attentionStatistics",
        sizes.shape(),
        sizes.flops(2), // Q·Kᵀ and dY·Vᵀ
        queries,
        List.of(q, k, v, mask, dy, statistics),
        (g, id) ->
            g.task(
                id,
                tiled ? TiledAttentionBackward::tiledStatistics : AttentionBackward::statistics,
                context,
                q,
                k,
                v,
                mask,
                dy,
                statistics,
                sizes.batch(),
                sizes.heads(),
                sizes.queries(),
                sizes.keys(),
                sizes.width(),
                op.scale(),
                sizes.flags()));
    emitter.add(
        "attentionQueries",
        sizes.shape(),
        sizes.flops(3), // these again, and dS·K
        queries,
        List.of(q, k, v, mask, dy, statistics, dq),
        (g, id) ->
            g.task(
                id,
                tiled ? TiledAttentionBackward::tiledQueries : AttentionBackward::queries,
                context,
                q,
                k,
                v,
                mask,
                dy,
                statistics,
                dq,
                sizes.batch(),
                sizes.heads(),
                sizes.queries(),
                sizes.keys(),
                sizes.width(),
                op.scale(),
                sizes.flags()));
    emitter.add(
        "attentionKeys",
        sizes.shape(),
        sizes.flops(4), // these again, dSᵀ·Q and Pᵀ·dY
        keys,
        List.of(q, k, v, mask, dy, statistics, dk, dv),
        (g, id) ->
            g.task(
                id,
                tiled
                    ? TiledAttentionBackward::tiledKeysAndValues
                    : AttentionBackward::keysAndValues,
                context,
                q,
                k,
                v,
                mask,
                dy,
                statistics,
                dk,
                dv,
                sizes.batch(),
                sizes.heads(),
                sizes.queries(),
                sizes.keys(),
                sizes.width(),
                op.scale(),
                sizes.flags()));
  }

  private static void pad(Emitter emitter, GradientOp.Pad op) {
    Shape out = op.output().shape();
    int inner = out.stride(op.axis());
    int given = op.gradient().shape().extent(op.axis()) * inner;
    FloatArray y = emitter.array(op.output());
    emitter.fill(y, elements(op.output()), 0);
    emitter.copy(
        op.gradient(),
        0,
        given,
        y,
        op.from() * inner,
        out.extent(op.axis()) * inner,
        elements(op.gradient()) / given,
        given);
  }

  private static void patches(Emitter emitter, GradientOp.Patches op) {
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    Shape images = op.output().shape();
    int n = elements(op.output());
    emitter.add(
        "patchesGradient",
        emitter.items(n),
        List.of(dy, dx),
        (g, id) ->
            g.task(
                id,
                Elementwise::patchesBackward,
                emitter.context,
                dy,
                dx,
                n,
                images.extent(1),
                images.extent(2),
                images.extent(3),
                op.patchHeight(),
                op.patchWidth()));
  }

  private static void spreadTokens(Emitter emitter, GradientOp.SpreadTokens op) {
    FloatArray dy = emitter.array(op.gradient());
    FloatArray dx = emitter.array(op.output());
    Shape out = op.output().shape();
    emitter.add(
        "spreadTokens",
        emitter.items(elements(op.output())),
        List.of(dy, dx),
        (g, id) ->
            g.task(
                id,
                Reductions::meanTokensBackward,
                emitter.context,
                dy,
                dx,
                out.extent(0),
                out.extent(1),
                out.extent(2)));
  }

  private static void embedding(Emitter emitter, GradientOp.Embedding op) {
    FloatArray ids = emitter.array(op.ids());
    FloatArray dy = emitter.array(op.gradient());
    FloatArray table = emitter.array(op.output());
    int width = op.output().shape().last();
    int entries = op.output().shape().extent(0);
    int tokens = elements(op.ids());
    emitter.add(
        "embeddingGradient",
        emitter.items(entries),
        List.of(ids, dy, table),
        (g, id) ->
            g.task(
                id, Embedding::backward, emitter.context, ids, dy, table, tokens, width, entries));
  }

  /** A few sums, to which each gradient adds its squares; then one work-item that adds these. */
  private static void norm(Emitter emitter, GradientOp.Norm op) {
    int count =
        op.gradients().stream().mapToInt(gradient -> squares(elements(gradient))).max().orElse(1);
    FloatArray squares = emitter.scratch(count);
    emitter.fill(squares, count, 0);
    for (Value gradient : op.gradients()) {
      addSquares(emitter, gradient, squares);
    }
    FloatArray y = emitter.array(op.output());
    float maximum = op.maximum() == 0 ? Float.MAX_VALUE : op.maximum();
    emitter.add(
        "clip",
        emitter.items(1),
        List.of(squares, y),
        (g, id) -> g.task(id, Reductions::clip, emitter.context, squares, y, count, maximum));
  }

  /** As many as there are equal blocks, so that all are written. */
  private static int squares(int n) {
    int parts = Math.clamp(Math.ceilDiv(n, SQUARES_BLOCK), 1, MOST_SQUARES);
    return Math.ceilDiv(n, Math.ceilDiv(n, parts));
  }

  private static void addSquares(Emitter emitter, Value gradient, FloatArray y) {
    FloatArray x = emitter.array(gradient);
    int n = elements(gradient);
    int parts = squares(n);
    KernelContext context = emitter.context;
    boolean grouped = emitter.tiled;
    int divided = grouped ? parts : Math.ceilDiv(n, parts); // into parts, or of so long blocks
    emitter.add(
        "squares",
        grouped ? Grids.groups(parts, Reductions.GROUP) : emitter.items(parts),
        List.of(x, y),
        (g, id) ->
            g.task(
                id,
                grouped ? Reductions::groupedSquares : Reductions::sumSquares,
                context,
                x,
                y,
                n,
                divided));
  }
}
