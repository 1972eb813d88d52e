package dev.tessera.model;

import dev.tessera.graph.Activation;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The stack of Transformer blocks that all models share: {@code [batch, tokens, hidden]} to the
 * same shape (Vaswani et al., arXiv:1706.03762; pre-norm as in ViT, arXiv:2010.11929).
 *
 * @param names what the checkpoint calls the parts of a block
 * @param layers how many blocks
 * @param heads attention heads
 * @param headFeatures features of one head; {@code heads · headFeatures} need not be the width of
 *     the tokens
 * @param intermediate width of the feed-forward layer, for a gated one after gating
 * @param activation in the feed-forward layer
 * @param gated whether the feed-forward layer is {@code activation(gate) ∘ value}, with both in one
 *     matrix (SwiGLU, arXiv:2002.05202)
 * @param preNorm whether layers are normalised before attention and feed-forward, or their sums
 *     after, as BERT does
 * @param layerScale whether both results are scaled per feature before they are added
 *     (arXiv:2103.17239)
 * @param queryBias whether query, key and value have a bias
 * @param outputBias whether the projection after attention and the feed-forward layer have biases
 * @param epsilon of the layer normalisations
 */
record Encoder(
    Names names,
    int layers,
    int heads,
    int headFeatures,
    int intermediate,
    Activation activation,
    boolean gated,
    boolean preNorm,
    boolean layerScale,
    boolean queryBias,
    boolean outputBias,
    float epsilon) {

  /**
   * Names of the parts of a block.
   *
   * @param blocks what stands between the base model's name and a block's number; the others follow
   *     the number
   */
  record Names(
      String blocks,
      String query,
      String key,
      String value,
      String attentionOutput,
      String attentionNorm,
      String in,
      String out,
      String feedForwardNorm) {
    static final Names VIT =
        new Names(
            ".encoder.layer.",
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
            "attention.output.dense",
            "layernorm_before",
            "intermediate.dense",
            "output.dense",
            "layernorm_after");
    static final Names DINOV2 =
        new Names(
            ".encoder.layer.",
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
            "attention.output.dense",
            "norm1",
            "mlp.fc1",
            "mlp.fc2",
            "norm2");
    static final Names DINOV2_SWIGLU =
        new Names(
            ".encoder.layer.",
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
            "attention.output.dense",
            "norm1",
            "mlp.weights_in",
            "mlp.weights_out",
            "norm2");
    static final Names BERT =
        new Names(
            ".encoder.layer.",
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm");
    static final Names CLIP =
        new Names(
            ".encoder.layers.",
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.out_proj",
            "layer_norm1",
            "mlp.fc1",
            "mlp.fc2",
            "layer_norm2");
  }

  /** The name of block {@code n}'s parameters up to its parts. */
  String block(String prefix, int n) {
    return prefix + names.blocks() + n + ".";
  }

  /**
   * Which tokens see which, and what the stages are called.
   *
   * @param keyMask {@code [batch, tokens]}, 0 where a token must not be seen, or null
   * @param causal whether a token sees only itself and those before it
   * @param stages the beginning of the names of the stages that are outputs; null for none
   */
  record Setting(@Nullable Value keyMask, boolean causal, @Nullable String stages) {
    /** All tokens see all. */
    static Setting of(Outputs outputs) {
      return new Setting(null, false, outputs == Outputs.STAGES ? "" : null);
    }
  }

  /**
   * Appends the blocks; with {@link Outputs#STAGES} each block's output and attention is an output.
   *
   * @param prefix the base model's name
   */
  Value apply(GraphBuilder graph, String prefix, Value tokens, Outputs outputs) {
    return apply(graph, prefix, tokens, Setting.of(outputs));
  }

  /** Appends the blocks. */
  Value apply(GraphBuilder graph, String prefix, Value tokens, Setting setting) {
    Value x = tokens;
    for (int n = 0; n < layers; n++) {
      String block = block(prefix, n);
      Value attended = attention(graph, block, normed(graph, block, x), n, setting);
      x = graph.add(scaled(graph, block + "layer_scale1", attended), x);
      if (!preNorm) {
        x = graph.layerNorm(x, block + names.attentionNorm(), epsilon);
      }
      Value input = preNorm ? graph.layerNorm(x, block + names.feedForwardNorm(), epsilon) : x;
      x = graph.add(scaled(graph, block + "layer_scale2", feedForward(graph, block, input)), x);
      if (!preNorm) {
        x = graph.layerNorm(x, block + names.feedForwardNorm(), epsilon);
      }
      if (setting.stages() != null) {
        graph.output(setting.stages() + "layer_" + n + "_out", x);
      }
    }
    return x;
  }

  private Value normed(GraphBuilder graph, String block, Value x) {
    return preNorm ? graph.layerNorm(x, block + names.attentionNorm(), epsilon) : x;
  }

  private Value attention(GraphBuilder graph, String block, Value x, int n, Setting setting) {
    int features = heads * headFeatures;
    Value query = graph.linear(x, block + names.query(), features, queryBias);
    Value key = graph.linear(x, block + names.key(), features, queryBias);
    Value value = graph.linear(x, block + names.value(), features, queryBias);
    Value mask = setting.keyMask();
    if (setting.stages() != null) {
      graph.output(
          setting.stages() + "attn_layer_" + n,
          graph.attentionProbabilities(query, key, mask, heads, setting.causal()));
    }
    Value context = graph.attention(query, key, value, mask, heads, setting.causal());
    return graph.linear(context, block + names.attentionOutput(), x.shape().last(), outputBias);
  }

  private Value feedForward(GraphBuilder graph, String block, Value x) {
    Value in =
        graph.linear(x, block + names.in(), gated ? 2 * intermediate : intermediate, outputBias);
    Value inner = gated ? graph.gated(activation, in) : graph.activate(activation, in);
    return graph.linear(inner, block + names.out(), x.shape().last(), outputBias);
  }

  private Value scaled(GraphBuilder graph, String name, Value x) {
    return layerScale
        ? graph.multiply(x, graph.parameter(name + ".lambda1", Shape.of(x.shape().last())))
        : x;
  }
}
