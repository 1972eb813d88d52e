package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * BERT (Devlin et al., arXiv:1810.04805) as {@code BertModel} and {@code BertForMaskedLM} compute
 * it: words, positions and token types are added and normalised, blocks normalise after each sum,
 * and behind them is a pooler on the first token or a head that guesses masked words, whose last
 * layer is the table of words.
 *
 * @param pooler on the first token, or null
 * @param mask the head for masked words, or null
 * @param sentence how a text's tokens become one vector
 */
record Bert(
    String architecture,
    TextEmbeddings embeddings,
    Encoder encoder,
    Vit.@Nullable Pooler pooler,
    @Nullable MaskHead mask,
    SentencePooling sentence)
    implements TextModel {
  private static final String PREFIX = "bert";
  private static final String HEAD = "cls.predictions.";

  /**
   * The head for masked words.
   *
   * @param activation of its first layer
   * @param tied whether its last layer is the table of words
   * @param bias name of the last layer's bias
   */
  record MaskHead(Activation activation, boolean tied, String bias) {
    static @Nullable MaskHead of(ModelConfig config, Weights weights) throws CheckpointException {
      if (!weights.has(HEAD + "transform.dense.weight")
          || config.architecture("").equals("BertModel")) {
        return null;
      }
      boolean tied =
          config.flag("tie_word_embeddings", true) || !weights.has(HEAD + "decoder.weight");
      return new MaskHead(
          config.activation("hidden_act", "gelu"),
          tied,
          HEAD + (weights.has(HEAD + "bias") ? "bias" : "decoder.bias"));
    }

    Value apply(GraphBuilder graph, Value sequence, TextEmbeddings words, float epsilon) {
      Value x = graph.linear(sequence, HEAD + "transform.dense", words.hidden());
      x = graph.layerNorm(graph.activate(activation, x), HEAD + "transform.LayerNorm", epsilon);
      Shape shape = Shape.of(words.vocabulary(), words.hidden());
      Value table = tied ? words.wordTable(graph) : graph.parameter(HEAD + "decoder.weight", shape);
      return graph.linear(x, table, graph.parameter(bias, Shape.of(words.vocabulary())));
    }
  }

  static Bert of(ModelConfig config, Weights weights, SentencePooling sentence)
      throws CheckpointException {
    if (!config.text("position_embedding_type", "absolute").equals("absolute")) {
      throw config.wrong("position_embedding_type", "absolute");
    }
    if (config.flag("is_decoder", false)) {
      throw config.wrong("is_decoder", "false");
    }
    int hidden = config.extent("hidden_size", 768);
    int heads = config.extent("num_attention_heads", 12);
    MaskHead mask = MaskHead.of(config, weights);
    return new Bert(
        config.architecture(mask == null ? "BertModel" : "BertForMaskedLM"),
        new TextEmbeddings(
            PREFIX,
            "word_embeddings.weight",
            "position_embeddings.weight",
            config.extent("vocab_size", 30522),
            config.extent("max_position_embeddings", 512),
            config.extent("type_vocab_size", 2),
            hidden),
        new Encoder(
            Encoder.Names.BERT,
            config.count("num_hidden_layers", 12),
            heads,
            Heads.features(config, hidden, heads),
            config.extent("intermediate_size", 3072),
            config.activation("hidden_act", "gelu"),
            false,
            false,
            false,
            true,
            true,
            (float) config.number("layer_norm_eps", 1e-12)),
        mask == null ? Vit.Pooler.of(PREFIX, config, weights, hidden) : null,
        mask,
        sentence);
  }

  @Override
  public List<String> inputNames() {
    return List.of(IDS, MASK, TYPES, POSITIONS);
  }

  @Override
  public Graph graph(Map<String, Shape> inputs, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    boolean stages = outputs == Outputs.STAGES;
    Value ids = embeddings.ids(graph, inputs);
    Value keyMask = TextModel.optional(graph, inputs, MASK, ids);
    Value types = TextModel.optional(graph, inputs, TYPES, ids);
    Value positions = TextModel.optional(graph, inputs, POSITIONS, ids);
    Value x = embeddings.apply(graph, ids, types, positions);
    x = graph.layerNorm(x, PREFIX + ".embeddings.LayerNorm", encoder.epsilon());
    if (stages) {
      graph.output("embeddings_out", x);
    }
    x = encoder.apply(graph, PREFIX, x, new Encoder.Setting(keyMask, false, stages ? "" : null));
    if (stages || (pooler == null && mask == null)) {
      graph.output("last_hidden_state", x);
    }
    if (pooler != null) {
      graph.output("pooler_output", pooler.apply(graph, x));
    }
    if (mask != null) {
      graph.output("logits", mask.apply(graph, x, embeddings, encoder.epsilon()));
    }
    return graph.build();
  }
}
