package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The Vision Transformer (Dosovitskiy et al., arXiv:2010.11929) as {@code ViTModel} and {@code
 * ViTForImageClassification} compute it: a class token before the patches, pre-norm blocks, a final
 * normalisation, and a linear classifier or a pooler on the class token.
 */
record Vit(
    String architecture,
    Embeddings embeddings,
    Encoder encoder,
    int labels,
    @Nullable Pooler pooler)
    implements VisionModel {
  private static final String PREFIX = "vit";

  /** A dense layer and an activation on the first token of the normalised output. */
  record Pooler(String prefix, int features, Activation activation) {
    /** The pooler that the config describes, or null where the checkpoint holds none. */
    static @Nullable Pooler of(String prefix, ModelConfig config, Weights weights, int hidden)
        throws CheckpointException {
      return weights.has(prefix + ".pooler.dense.weight")
          ? new Pooler(
              prefix,
              config.extent("pooler_output_size", hidden),
              config.activation("pooler_act", "tanh"))
          : null;
    }

    Value apply(GraphBuilder graph, Value sequence) {
      Value dense = graph.linear(graph.token(sequence, 0), prefix + ".pooler.dense", features);
      return graph.activate(activation, dense);
    }
  }

  static Vit of(ModelConfig config, Weights weights) throws CheckpointException {
    int hidden = config.extent("hidden_size", 768);
    int labels = Heads.labels(config, weights, "classifier");
    return new Vit(
        config.architecture(labels > 0 ? "ViTForImageClassification" : "ViTModel"),
        embeddings(PREFIX, config, hidden, List.of(new Embeddings.Token("cls_token", 1, true))),
        encoder(config, hidden),
        labels,
        labels > 0 ? null : Pooler.of(PREFIX, config, weights, hidden));
  }

  static Embeddings embeddings(
      String prefix, ModelConfig config, int hidden, List<Embeddings.Token> tokens)
      throws CheckpointException {
    return new Embeddings(
        prefix,
        config.extent("num_channels", 3),
        config.size("image_size", 224),
        config.size("patch_size", 16),
        hidden,
        true,
        tokens,
        Embeddings.Positions.RESIZED);
  }

  static Encoder encoder(ModelConfig config, int hidden) throws CheckpointException {
    int heads = config.extent("num_attention_heads", 12);
    return new Encoder(
        Encoder.Names.VIT,
        config.count("num_hidden_layers", 12),
        heads,
        Heads.features(config, hidden, heads),
        config.extent("intermediate_size", 3072),
        config.activation("hidden_act", "gelu"),
        false,
        true,
        false,
        config.flag("qkv_bias", true),
        true,
        (float) config.number("layer_norm_eps", 1e-12));
  }

  @Override
  public Graph graph(int batch, int height, int width, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    boolean stages = outputs == Outputs.STAGES;
    Value x = embeddings.input(graph, batch, height, width, outputs);
    x = encoder.apply(graph, PREFIX, x, outputs);
    Value sequence = graph.layerNorm(x, PREFIX + ".layernorm", encoder.epsilon());
    if (stages || (labels == 0 && pooler == null)) {
      graph.output("last_hidden_state", sequence);
    }
    if (pooler != null) {
      graph.output("pooler_output", pooler.apply(graph, sequence));
    }
    if (labels > 0) {
      graph.output("logits", graph.linear(graph.token(sequence, 0), "classifier", labels));
    }
    return graph.build();
  }
}
