package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import java.util.List;

/**
 * CLIP's image tower (Radford et al., arXiv:2103.00020) as {@code CLIPVisionModelWithProjection}
 * computes it: a ViT whose embeddings are normalised before the blocks; its class token, normalised
 * after them, is projected into the space that images share with texts.
 *
 * @param projection width of the shared space; 0 for a tower without projection
 */
record ClipVision(String architecture, Embeddings embeddings, Encoder encoder, int projection)
    implements ImageTower {
  private static final String PREFIX = "vision_model";

  static ClipVision of(String architecture, ModelConfig config, int projection)
      throws CheckpointException {
    int hidden = config.extent("hidden_size", 768);
    return new ClipVision(
        architecture,
        new Embeddings(
            PREFIX,
            config.extent("num_channels", 3),
            config.size("image_size", 224),
            config.size("patch_size", 32),
            hidden,
            false,
            List.of(new Embeddings.Token("class_embedding", 1, true)),
            Embeddings.Positions.RESIZED,
            Embeddings.Names.CLIP),
        ClipText.encoder(config, hidden, 12, 12, 3072, "quick_gelu", 1e-5),
        projection);
  }

  @Override
  public Pooling pooling() {
    return projection > 0 ? Pooling.PROJECTION : Pooling.POOLER;
  }

  @Override
  public void append(
      GraphBuilder graph, int batch, int height, int width, Outputs outputs, String stage) {
    boolean stages = outputs == Outputs.STAGES;
    Value x = embeddings.input(graph, batch, height, width);
    if (stages) {
      graph.output(stage + "embeddings_out", x);
    }
    x = graph.layerNorm(x, PREFIX + ".pre_layrnorm", encoder.epsilon()); // spelled so everywhere
    x = encoder.apply(graph, PREFIX, x, new Encoder.Setting(null, false, stages ? stage : null));
    Value pooled =
        graph.layerNorm(graph.token(x, 0), PREFIX + ".post_layernorm", encoder.epsilon());
    if (stages) {
      graph.output(stage + "last_hidden_state", x);
    }
    if (projection == 0) {
      graph.output(stage + "pooler_output", pooled);
      return;
    }
    Value projected = graph.linear(pooled, "visual_projection", projection, false);
    if (stages) {
      // Of two towers transformers 5 calls what is projected by this name.
      graph.output(stage + "pooler_output", stage.isEmpty() ? pooled : projected);
      graph.output("image_features", projected);
    }
    graph.output("image_embeds", graph.l2Normalize(projected, 1e-12f));
  }
}
