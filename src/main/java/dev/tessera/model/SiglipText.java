package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Map;

/**
 * SigLIP's text tower (Zhai et al., arXiv:2303.15343) as {@code SiglipTextModel} computes it: all
 * tokens see all, and a linear layer on the last token of the normalised output gives the text's
 * place in the space that texts share with images. Texts are filled up to the full length with a
 * token that counts like the others.
 *
 * @param projection width of the shared space
 */
record SiglipText(String architecture, TextEmbeddings embeddings, Encoder encoder, int projection)
    implements TextTower {
  private static final String PREFIX = "text_model";

  static SiglipText of(String architecture, ModelConfig config) throws CheckpointException {
    TextEmbeddings embeddings = ClipText.embeddings(config, 32000, 64, 768);
    return new SiglipText(
        architecture,
        embeddings,
        ClipText.encoder(config, 768, 12, 12, 3072, "gelu_pytorch_tanh", 1e-6),
        config.extent("projection_size", embeddings.hidden()));
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
    x = encoder.apply(graph, PREFIX, x, new Encoder.Setting(keyMask, false, stages ? stage : null));
    Value sequence = graph.layerNorm(x, PREFIX + ".final_layer_norm", encoder.epsilon());
    Value last = graph.token(sequence, ids.shape().last() - 1);
    Value pooled = graph.linear(last, PREFIX + ".head", projection);
    if (stages) {
      graph.output(stage + "last_hidden_state", sequence);
      graph.output(stage + "pooler_output", pooled);
      graph.output("text_features", pooled);
    }
    graph.output("text_embeds", graph.l2Normalize(pooled, 1e-12f));
  }
}
