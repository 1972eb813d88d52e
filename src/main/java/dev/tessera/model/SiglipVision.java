package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import java.util.List;

/**
 * SigLIP's image tower (Zhai et al., arXiv:2303.15343) as {@code SiglipVisionModel} computes it: a
 * ViT without class token; one learned query attends to all patches and goes through a feed-forward
 * layer, which gives the image's place in the space that images share with texts.
 *
 * @param shared whether a text tower shares the space
 */
record SiglipVision(
    String architecture, Embeddings embeddings, Encoder encoder, boolean hasHead, boolean shared)
    implements ImageTower {
  private static final String PREFIX = "vision_model";
  private static final String HEAD = PREFIX + ".head.";

  static SiglipVision of(String architecture, ModelConfig config, Weights weights, boolean shared)
      throws CheckpointException {
    int hidden = config.extent("hidden_size", 768);
    return new SiglipVision(
        architecture,
        new Embeddings(
            PREFIX,
            config.extent("num_channels", 3),
            config.size("image_size", 224),
            config.size("patch_size", 16),
            hidden,
            true,
            List.of(),
            Embeddings.Positions.RESIZED,
            Embeddings.Names.CLIP),
        ClipText.encoder(config, hidden, 12, 12, 3072, "gelu_pytorch_tanh", 1e-6),
        weights.has(HEAD + "probe"),
        shared);
  }

  @Override
  public Pooling pooling() {
    return shared ? Pooling.PROJECTION : hasHead ? Pooling.POOLER : Pooling.MEAN;
  }

  @Override
  public int answerTokens() {
    return 0;
  }

  @Override
  public void append(
      GraphBuilder graph, int batch, int height, int width, Outputs outputs, String stage) {
    boolean stages = outputs == Outputs.STAGES;
    Value x = embeddings.input(graph, batch, height, width);
    if (stages) {
      graph.output(stage + "embeddings_out", x);
    }
    x = encoder.apply(graph, PREFIX, x, new Encoder.Setting(null, false, stages ? stage : null));
    Value sequence = graph.layerNorm(x, PREFIX + ".post_layernorm", encoder.epsilon());
    if (stages || !hasHead) {
      graph.output(stage + "last_hidden_state", sequence);
    }
    if (hasHead) {
      Value pooled = AttentionPooling.siglip(graph, HEAD, sequence, encoder);
      if (stages || !shared) {
        graph.output(stage + "pooler_output", pooled);
      }
      if (stages) {
        graph.output("image_features", pooled);
      }
      if (shared) {
        graph.output("image_embeds", graph.l2Normalize(pooled, 1e-12f));
      }
    }
  }
}
