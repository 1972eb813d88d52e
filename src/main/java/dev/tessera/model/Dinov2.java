package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * DINOv2 (Oquab et al., arXiv:2304.07193), with registers (Darcet et al., arXiv:2309.16588) or
 * without, as {@code Dinov2Model}, {@code Dinov2WithRegistersModel} and their classifiers compute
 * it: a ViT with LayerScale, in the largest size with SwiGLU; the classifier reads the class token
 * beside the mean of the patches.
 */
record Dinov2(String architecture, Embeddings embeddings, Encoder encoder, int labels)
    implements VisionModel {
  /**
   * @param family {@code dinov2} or {@code dinov2_with_registers}: the prefix of its parameters
   */
  static Dinov2 of(String family, ModelConfig config, Weights weights) throws CheckpointException {
    boolean registers = family.equals("dinov2_with_registers");
    int hidden = config.extent("hidden_size", 768);
    int heads = config.extent("num_attention_heads", 12);
    int layers = config.count("num_hidden_layers", 12);
    boolean swiglu = config.flag("use_swiglu_ffn", false);
    List<Embeddings.Token> tokens = new ArrayList<>();
    tokens.add(new Embeddings.Token("cls_token", 1, true));
    int registerTokens = registers ? config.count("num_register_tokens", 4) : 0;
    if (registerTokens > 0) {
      tokens.add(new Embeddings.Token("register_tokens", registerTokens, false));
    }
    // The config says how wide the feed-forward layer is only through rules of rounding, which
    // the weights spare us.
    String out = family + ".encoder.layer.0.mlp." + (swiglu ? "weights_in" : "fc1") + ".weight";
    int rows = layers == 0 ? 2 : Heads.rows(weights, out);
    int labels = Heads.labels(config, weights, "classifier");
    return new Dinov2(
        config.architecture(
            (registers ? "Dinov2WithRegisters" : "Dinov2")
                + (labels > 0 ? "ForImageClassification" : "Model")),
        new Embeddings(
            family,
            config.extent("num_channels", 3),
            config.size("image_size", 224),
            config.size("patch_size", registers ? 16 : 14),
            hidden,
            true,
            tokens,
            registers ? Embeddings.Positions.ALWAYS_ANTIALIASED : Embeddings.Positions.ALWAYS),
        new Encoder(
            swiglu ? Encoder.Names.DINOV2_SWIGLU : Encoder.Names.DINOV2,
            layers,
            heads,
            Heads.features(config, hidden, heads),
            swiglu ? rows / 2 : rows,
            swiglu ? Activation.SILU : config.activation("hidden_act", "gelu"),
            swiglu,
            true,
            true,
            config.flag("qkv_bias", true),
            true,
            (float) config.number("layer_norm_eps", 1e-6)),
        labels);
  }

  @Override
  public Pooling pooling() {
    return Pooling.POOLER;
  }

  @Override
  public Graph graph(int batch, int height, int width, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    boolean stages = outputs == Outputs.STAGES;
    String prefix = embeddings.prefix();
    Value x = embeddings.input(graph, batch, height, width, outputs);
    x = encoder.apply(graph, prefix, x, outputs);
    Value sequence = graph.layerNorm(x, prefix + ".layernorm", encoder.epsilon());
    Value cls = graph.token(sequence, 0);
    if (stages) {
      graph.output("last_hidden_state", sequence);
    }
    if (stages || labels == 0) {
      graph.output("pooler_output", cls);
    }
    if (labels > 0) {
      Value patches = graph.slice(sequence, 1, embeddings.tokenCount(), sequence.shape().extent(1));
      Value features = graph.concatFeatures(cls, graph.meanTokens(patches));
      graph.output("logits", graph.linear(features, "classifier", labels));
    }
    return graph.build();
  }
}
