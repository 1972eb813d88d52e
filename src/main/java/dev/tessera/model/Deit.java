package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DeiT (Touvron et al., arXiv:2012.12877) as {@code DeiTModel}, {@code DeiTForImageClassification}
 * and {@code DeiTForImageClassificationWithTeacher} compute it: a ViT with a second learned token
 * that was trained to say what a teacher says; with teacher, the logits are the mean of the heads
 * on both tokens.
 *
 * @param distilled whether there is a second classifier, on the distillation token
 */
record Deit(
    String architecture,
    Embeddings embeddings,
    Encoder encoder,
    int labels,
    boolean distilled,
    Vit.@Nullable Pooler pooler)
    implements VisionModel {
  private static final String PREFIX = "deit";

  static Deit of(ModelConfig config, Weights weights) throws CheckpointException {
    int hidden = config.extent("hidden_size", 768);
    boolean distilled =
        config.architecture("").endsWith("WithTeacher")
            || (!config.has("architectures") && weights.has("cls_classifier.weight"));
    int labels = Heads.labels(config, weights, distilled ? "cls_classifier" : "classifier");
    return new Deit(
        config.architecture(
            distilled
                ? "DeiTForImageClassificationWithTeacher"
                : labels > 0 ? "DeiTForImageClassification" : "DeiTModel"),
        Vit.embeddings(
            PREFIX,
            config,
            hidden,
            List.of(
                new Embeddings.Token("cls_token", 1, true),
                new Embeddings.Token("distillation_token", 1, true))),
        Vit.encoder(config, hidden),
        labels,
        distilled,
        labels > 0 ? null : Vit.Pooler.of(PREFIX, config, weights, hidden));
  }

  @Override
  public int answerTokens() {
    return distilled ? 2 : 1;
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
    if (distilled) {
      meanOfTwo(graph, sequence, "cls_classifier", labels, stages);
    } else if (labels > 0) {
      graph.output("logits", graph.linear(graph.token(sequence, 0), "classifier", labels));
    }
    return graph.build();
  }

  /** The mean of a head on the class token and one on the distillation token. */
  static void meanOfTwo(
      GraphBuilder graph, Value sequence, String classHead, int labels, boolean stages) {
    Value cls = graph.linear(graph.token(sequence, 0), classHead, labels);
    Value distillation = graph.linear(graph.token(sequence, 1), "distillation_classifier", labels);
    if (stages) {
      graph.output("cls_logits", cls);
      graph.output("distillation_logits", distillation);
    }
    graph.output("logits", graph.scale(graph.add(cls, distillation), 0.5f));
  }
}
