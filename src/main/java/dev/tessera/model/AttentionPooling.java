package dev.tessera.model;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;

/**
 * Pooling by attention (Zhai et al., arXiv:2106.04560, "MAP head"): one learned query attends to
 * all tokens, and what it finds goes through a feed-forward layer beside a residual sum. {@code
 * [batch, tokens, hidden]} becomes {@code [batch, hidden]}.
 */
final class AttentionPooling {
  private AttentionPooling() {}

  /**
   * {@code SiglipMultiheadAttentionPoolingHead}, with {@code torch.nn.MultiheadAttention}'s names.
   */
  static Value siglip(GraphBuilder graph, String prefix, Value sequence, Encoder encoder) {
    int hidden = sequence.shape().last();
    String name = prefix + "attention.in_proj_";
    Value weight = graph.parameter(name + "weight", Shape.of(3 * hidden, hidden));
    Value bias = graph.parameter(name + "bias", Shape.of(3 * hidden));
    Value probe = graph.parameter(prefix + "probe", Shape.of(1, 1, hidden));
    Value context =
        context(
            graph,
            part(graph, probe, weight, bias, 0),
            part(graph, sequence, weight, bias, 1),
            part(graph, sequence, weight, bias, 2),
            encoder.heads());
    Value attended = graph.linear(context, prefix + "attention.out_proj", hidden);
    return feedForward(
        graph, attended, prefix + "layernorm", prefix + "mlp", encoder.intermediate(), encoder);
  }

  /** timm's {@code AttentionPoolLatent}. */
  static Value timm(
      GraphBuilder graph, String prefix, Value sequence, int intermediate, Encoder encoder) {
    int hidden = sequence.shape().last();
    Value weight = graph.parameter(prefix + "kv.weight", Shape.of(2 * hidden, hidden));
    Value bias = graph.parameter(prefix + "kv.bias", Shape.of(2 * hidden));
    Value latent = graph.parameter(prefix + "latent", Shape.of(1, 1, hidden));
    Value context =
        context(
            graph,
            graph.linear(latent, prefix + "q", hidden),
            part(graph, sequence, weight, bias, 0),
            part(graph, sequence, weight, bias, 1),
            encoder.heads());
    Value attended = graph.linear(context, prefix + "proj", hidden);
    return feedForward(graph, attended, prefix + "norm", prefix + "mlp", intermediate, encoder);
  }

  /** Every image has the same query, {@code [1, 1, hidden]}. */
  private static Value context(
      GraphBuilder graph, Value query, Value keys, Value values, int heads) {
    Shape one = Shape.of(keys.shape().extent(0), 1, query.shape().last());
    return graph.attention(graph.add(graph.fill(one, 0), query), keys, values, heads);
  }

  private static Value feedForward(
      GraphBuilder graph,
      Value attended,
      String norm,
      String mlp,
      int intermediate,
      Encoder encoder) {
    int hidden = attended.shape().last();
    Value x = graph.layerNorm(attended, norm, encoder.epsilon());
    x = graph.activate(encoder.activation(), graph.linear(x, mlp + ".fc1", intermediate));
    x = graph.add(graph.linear(x, mlp + ".fc2", hidden), attended);
    return graph.reshape(x, Shape.of(attended.shape().extent(0), hidden));
  }

  /** A product with one of several square matrices that are one parameter. */
  private static Value part(GraphBuilder graph, Value x, Value weight, Value bias, int part) {
    int hidden = x.shape().last();
    return graph.linear(
        x,
        graph.slice(weight, 0, part * hidden, (part + 1) * hidden),
        graph.slice(bias, 0, part * hidden, (part + 1) * hidden));
  }
}
