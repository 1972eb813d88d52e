package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Attention;
import dev.tessera.kernels.Grids;
import dev.tessera.tensor.Shape;
import java.util.List;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Linear layers and attention, where the time goes. */
final class LayerSteps {
  private LayerSteps() {}

  static void linear(Emitter emitter, Op.Linear op) {
    Value scale = op.epilogue().scale();
    int n = op.output().shape().last();
    int k = op.input().shape().last();
    // LayerScale multiplies into weights and bias: (Wx + b)·s = (sW)x + sb.
    FloatArray weight = parameter(emitter, op.weight(), scale);
    FloatArray bias = op.bias() == null ? null : parameter(emitter, op.bias(), scale);
    emitter.multiply(
        "linear",
        new Emitter.Matrix(emitter.array(op.input()), k, 1),
        new Emitter.Matrix(weight, k, 1),
        bias,
        op.epilogue().activation(),
        emitter.nullable(op.epilogue().residual()),
        emitter.array(op.output()),
        elements(op.output()) / n,
        n,
        k);
  }

  private static FloatArray parameter(Emitter emitter, Value value, @Nullable Value scale) {
    return scale == null ? emitter.array(value) : emitter.scaled(value, scale);
  }

  /** The extents of an attention, and what its kernels take for a mask. */
  record Heads(int batch, int heads, int queries, int keys, int width, FloatArray mask, int flags) {
    static Heads of(
        Emitter emitter, Value query, Value key, @Nullable Value mask, int heads, boolean causal) {
      Shape shape = query.shape();
      return new Heads(
          shape.extent(0),
          heads,
          shape.extent(1),
          key.shape().extent(1),
          shape.last() / heads,
          mask == null ? emitter.nothing : emitter.array(mask),
          (causal ? Attention.CAUSAL : 0) + (mask == null ? 0 : Attention.MASKED));
    }

    /** Queries of all heads of all images. */
    int rows() {
      return batch * heads * queries;
    }
  }

  static void attention(Emitter emitter, Op.Attention op) {
    Heads sizes = Heads.of(emitter, op.query(), op.key(), op.keyMask(), op.heads(), op.causal());
    attention(
        emitter,
        sizes,
        emitter.array(op.query()),
        emitter.array(op.key()),
        emitter.array(op.value()),
        op.scale(),
        emitter.array(op.output()));
  }

  private static void attention(
      Emitter emitter,
      Heads sizes,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      float scale,
      FloatArray y) {
    KernelContext context = emitter.context;
    FloatArray mask = sizes.mask();
    List<FloatArray> arrays = List.of(q, k, v, mask, y);
    if (emitter.tiled && sizes.width() <= Attention.TILED_WIDTH) {
      int across = Math.ceilDiv(sizes.queries(), Attention.QUERIES);
      emitter.add(
          "attention",
          Grids.tiles(across, sizes.batch() * sizes.heads(), Attention.QUERIES, 1),
          arrays,
          (g, id) ->
              g.task(
                  id,
                  Attention::tiled,
                  context,
                  q,
                  k,
                  v,
                  mask,
                  y,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  scale,
                  sizes.flags()));
    } else {
      emitter.add(
          "attention",
          emitter.items(sizes.rows()),
          arrays,
          (g, id) ->
              g.task(
                  id,
                  Attention::rows,
                  context,
                  q,
                  k,
                  v,
                  mask,
                  y,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  scale,
                  sizes.flags()));
    }
  }

  static void probabilities(Emitter emitter, Op.AttentionProbabilities op) {
    Heads sizes = Heads.of(emitter, op.query(), op.key(), op.keyMask(), op.heads(), op.causal());
    FloatArray q = emitter.array(op.query());
    FloatArray k = emitter.array(op.key());
    FloatArray y = emitter.array(op.output());
    KernelContext context = emitter.context;
    emitter.add(
        "probabilities",
        emitter.items(sizes.rows()),
        List.of(q, k, sizes.mask(), y),
        (g, id) ->
            g.task(
                id,
                Attention::probabilities,
                context,
                q,
                k,
                sizes.mask(),
                y,
                sizes.batch(),
                sizes.heads(),
                sizes.queries(),
                sizes.keys(),
                sizes.width(),
                op.scale(),
                sizes.flags()));
  }
}
