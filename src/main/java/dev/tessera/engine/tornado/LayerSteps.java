package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Attention;
import dev.tessera.kernels.HalfPrecision;
import dev.tessera.kernels.TiledAttention;
import dev.tessera.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/** Linear layers and attention, where the time goes. */
final class LayerSteps {
  private LayerSteps() {}

  static void linear(Emitter emitter, Op.Linear op) {
    Value scale = op.epilogue().scale();
    int n = op.output().shape().last();
    int k = op.input().shape().last();
    int m = elements(op.output()) / n;
    // LayerScale multiplies into weights and bias: (Wx + b)·s = (sW)x + sb.
    FloatArray bias = op.bias() == null ? null : parameter(emitter, op.bias(), scale);
    FloatArray residual = emitter.nullable(op.epilogue().residual());
    var end = new Emitter.End(bias, op.epilogue().activation(), residual);
    FloatArray y = emitter.array(op.output());
    if (emitter.hasHalves(op.weight())) {
      var x = new Emitter.Matrix<>(emitter.halves(op.input()), k, 1);
      var weight = new Emitter.Matrix<>(emitter.scaledHalves(op.weight(), scale), k, 1);
      emitter.multiplyByLibrary("linear", x, weight, end, y, m, n, k);
      Op.Attention attention = emitter.attentionOf(op);
      Operand operand = attention == null ? null : operand(emitter, attention, op.output());
      if (emitter.isRoundedOnly(op)) {
        emitter.completeHalves("linear", end, op.output(), m, n);
      } else if (attention != null && operand != null) {
        split(emitter, attention, operand, end);
      } else {
        emitter.complete("linear", end, y, m, n);
      }
    } else {
      var x = new Emitter.Matrix<>(emitter.array(op.input()), k, 1);
      var weight = new Emitter.Matrix<>(parameter(emitter, op.weight(), scale), k, 1);
      emitter.multiply("linear", x, weight, end, y, m, n, k);
    }
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

    /** For people. */
    String shape() {
      return batch * heads + " of " + queries + "×" + keys + "×" + width;
    }

    /** Operations of products of all queries with the keys that they may see. */
    long flops(int products) {
      long pairs = (long) queries * keys;
      if ((flags & Attention.CAUSAL) != 0) {
        pairs = 0;
        for (int query = 0; query < queries; query++) {
          pairs += Math.min(query + 1, keys);
        }
      }
      return 2L * products * batch * heads * pairs * width;
    }
  }

  static void attention(Emitter emitter, Op.Attention op) {
    Heads sizes = Heads.of(emitter, op.query(), op.key(), op.keyMask(), op.heads(), op.causal());
    if (isFused(emitter, op)) {
      halfAttention(emitter, sizes, op);
    } else {
      floatAttention(emitter, sizes, op);
    }
  }

  /** Whether cuDNN takes it: without a mask, and heads of a multiple of 8 features up to 256. */
  private static boolean isFused(Emitter emitter, Op.Attention op) {
    int width = op.query().shape().last() / op.heads();
    return emitter.hasHalves() && op.keyMask() == null && width % 8 == 0 && width <= 256;
  }

  private static void halfAttention(Emitter emitter, Heads sizes, Op.Attention op) {
    HalfFloatArray queries = split(emitter, op, Operand.QUERIES, Emitter.End.NONE);
    HalfFloatArray keys = split(emitter, op, Operand.KEYS, Emitter.End.NONE);
    HalfFloatArray values = split(emitter, op, Operand.VALUES, Emitter.End.NONE);
    int n = sizes.rows() * sizes.width();
    HalfFloatArray selected = emitter.sharedHalves("selected", n);
    emitter.call(
        "attention",
        sizes.shape(),
        sizes.flops(2),
        List.of(queries, keys, values, selected),
        CudaLibraries.attention(queries, keys, values, selected, sizes, op.scale(), op.causal()));
    KernelContext context = emitter.context;
    if (emitter.isRoundedOnly(op)) {
      HalfFloatArray rounded = emitter.roundedResult(op.output());
      emitter.add(
          "merge",
          emitter.items(n),
          List.of(selected, rounded),
          (g, id) ->
              g.task(
                  id,
                  HalfPrecision::mergeHalves,
                  context,
                  selected,
                  rounded,
                  sizes.queries(),
                  sizes.heads(),
                  sizes.width(),
                  n));
      return;
    }
    FloatArray y = emitter.array(op.output());
    emitter.add(
        "merge",
        emitter.items(n),
        List.of(selected, y),
        (g, id) ->
            g.task(
                id,
                HalfPrecision::mergeHeads,
                context,
                selected,
                y,
                sizes.queries(),
                sizes.heads(),
                sizes.width(),
                n));
  }

  private enum Operand {
    QUERIES,
    KEYS,
    VALUES;

    Value of(Op.Attention op) {
      return switch (this) {
        case QUERIES -> op.query();
        case KEYS -> op.key();
        case VALUES -> op.value();
      };
    }
  }

  /** What an attention takes a value for; null if it is none of cuDNN's, or for two things. */
  private static @Nullable Operand operand(Emitter emitter, Op.Attention op, Value value) {
    List<Operand> all =
        Arrays.stream(Operand.values())
            .filter(operand -> emitter.root(operand.of(op)) == emitter.root(value))
            .toList();
    return isFused(emitter, op) && all.size() == 1 ? all.getFirst() : null;
  }

  /**
   * What an attention reads, {@code [batch, tokens, hidden]}, rounded, each head's tokens one after
   * the other: after the end of the product that makes it, where the attention finds it then.
   */
  private static HalfFloatArray split(
      Emitter emitter, Op.Attention op, Operand operand, Emitter.End end) {
    Value value = operand.of(op);
    int tokens = value.shape().extent(1);
    int width = value.shape().last() / op.heads();
    int n = elements(value);
    HalfFloatArray heads = emitter.sharedHalves(operand.name(), n);
    if (emitter.becomes(heads, value)) {
      FloatArray x = emitter.array(value);
      FloatArray start = emitter.orNothing(end.bias());
      FloatArray rest = emitter.orNothing(end.residual());
      KernelContext context = emitter.context;
      emitter.add(
          "split",
          emitter.items(n),
          List.of(x, start, rest, heads),
          (g, id) ->
              g.task(
                  id,
                  HalfPrecision::splitHeads,
                  context,
                  x,
                  start,
                  rest,
                  heads,
                  tokens,
                  op.heads(),
                  width,
                  n,
                  end.epilogue()));
    }
    return heads;
  }

  private static void floatAttention(Emitter emitter, Heads sizes, Op.Attention op) {
    FloatArray q = emitter.array(op.query());
    FloatArray k = emitter.array(op.key());
    FloatArray v = emitter.array(op.value());
    FloatArray y = emitter.array(op.output());
    KernelContext context = emitter.context;
    FloatArray mask = sizes.mask();
    boolean tiled = emitter.tiled && sizes.width() <= TiledAttention.WIDTH;
    emitter.add(
        "attention",
        sizes.shape(),
        sizes.flops(2),
        tiled
            ? TiledAttention.grid(sizes.queries(), sizes.width(), sizes.batch() * sizes.heads())
            : emitter.items(sizes.rows()),
        List.of(q, k, v, mask, y),
        (g, id) ->
            g.task(
                id,
                tiled ? TiledAttention::tiled : Attention::rows,
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
                op.scale(),
                sizes.flags()));
  }

  static void probabilities(Emitter emitter, Op.AttentionProbabilities op) {
    Heads sizes = Heads.of(emitter, op.query(), op.key(), op.keyMask(), op.heads(), op.causal());
    FloatArray q = emitter.array(op.query());
    FloatArray k = emitter.array(op.key());
    FloatArray y = emitter.array(op.output());
    KernelContext context = emitter.context;
    emitter.add(
        "probabilities",
        sizes.shape(),
        sizes.flops(1),
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
