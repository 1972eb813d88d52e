package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Map;

/**
 * CLIP's text tower (Radford et al., arXiv:2103.00020) as {@code CLIPTextModelWithProjection}
 * computes it: each token sees itself and those before it, and the one at the end of the text, of
 * the normalised output, is projected into the space that texts share with images.
 *
 * @param end the id of the token at the end of a text; {@link Op.PositionOf#LARGEST} for the
 *     largest id, which it is in CLIP's own vocabulary
 * @param projection width of the shared space
 */
record ClipText(
    String architecture, TextEmbeddings embeddings, Encoder encoder, int end, int projection)
    implements TextTower {
  private static final String PREFIX = "text_model";

  static ClipText of(String architecture, ModelConfig config, int projection)
      throws CheckpointException {
    // transformers once wrote 2 here whatever the id was, and goes by the largest id since.
    int end = config.count("eos_token_id", 49407);
    return new ClipText(
        architecture,
        embeddings(config, 49408, 77, 512),
        encoder(config, 512, 12, 8, 2048, "quick_gelu", 1e-5),
        end == 2 ? Op.PositionOf.LARGEST : end,
        projection);
  }

  /** The tables of CLIP's and SigLIP's text towers, with a class's own defaults. */
  static TextEmbeddings embeddings(ModelConfig config, int vocabulary, int positions, int hidden)
      throws CheckpointException {
    return new TextEmbeddings(
        PREFIX,
        "token_embedding.weight",
        "position_embedding.weight",
        config.extent("vocab_size", vocabulary),
        config.extent("max_position_embeddings", positions),
        0,
        config.extent("hidden_size", hidden));
  }

  /** The blocks of CLIP's and SigLIP's towers, with a class's own defaults. */
  static Encoder encoder(
      ModelConfig config,
      int hidden,
      int layers,
      int heads,
      int intermediate,
      String activation,
      double epsilon)
      throws CheckpointException {
    int width = config.extent("hidden_size", hidden);
    int headCount = config.extent("num_attention_heads", heads);
    return new Encoder(
        Encoder.Names.CLIP,
        config.count("num_hidden_layers", layers),
        headCount,
        Heads.features(config, width, headCount),
        config.extent("intermediate_size", intermediate),
        config.activation("hidden_act", activation),
        false,
        true,
        false,
        true,
        true,
        (float) config.number("layer_norm_eps", epsilon));
  }

  @Override
  public void append(GraphBuilder graph, Map<String, Shape> inputs, Outputs outputs, String stage) {
    boolean stages = outputs == Outputs.STAGES;
    Value ids = embeddings.ids(graph, inputs);
    Value keyMask = TextModel.optional(graph, inputs, MASK, ids);
    Value positions = TextModel.optional(graph, inputs, POSITIONS, ids);
    Value x = embeddings.apply(graph, ids, null, positions);
    if (stages) {
      graph.output(stage + "embeddings_out", x);
    }
    x = encoder.apply(graph, PREFIX, x, new Encoder.Setting(keyMask, true, stages ? stage : null));
    Value sequence = graph.layerNorm(x, PREFIX + ".final_layer_norm", encoder.epsilon());
    Value rows = graph.reshape(sequence, Shape.of((int) ids.shape().elements(), x.shape().last()));
    Value pooled = graph.embedding(graph.positionOf(ids, end), rows);
    Value projected = graph.linear(pooled, "text_projection", projection, false);
    if (stages) {
      graph.output(stage + "last_hidden_state", sequence);
      // Of two towers transformers 5 calls what is projected by this name.
      graph.output(stage + "pooler_output", stage.isEmpty() ? pooled : projected);
      graph.output("text_features", projected);
    }
    graph.output("text_embeds", graph.l2Normalize(projected, 1e-12f));
  }
}
