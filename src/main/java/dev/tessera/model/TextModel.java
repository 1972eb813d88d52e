package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a model of texts computes, described without its weights. */
sealed interface TextModel extends Architecture permits Bert, TextTower {
  String IDS = "input_ids";
  String MASK = "attention_mask";
  String TYPES = "token_type_ids";
  String POSITIONS = "position_ids";

  /** From ids to tokens; knows how many there may be. */
  TextEmbeddings embeddings();

  /** The stack of blocks. */
  Encoder encoder();

  @Override
  default Graph example(Outputs outputs) {
    Shape ids = Shape.of(1, Math.min(2, embeddings().positions()));
    return graph(Map.of(IDS, ids), outputs);
  }

  @Override
  default void check(Weights weights) throws CheckpointException {
    Encoder encoder = encoder();
    String prefix = embeddings().prefix();
    if (encoder.layers() > 0) {
      String last = encoder.block(prefix, encoder.layers() - 1);
      weights.get(last + encoder.names().attentionNorm() + ".weight");
    }
    embeddings().check(weights);
  }

  /** Declares an input as long as {@code ids} if its shape is among {@code inputs}, else null. */
  static @Nullable Value optional(
      GraphBuilder graph, Map<String, Shape> inputs, String name, Value ids) {
    Shape shape = inputs.get(name);
    if (shape == null) {
      return null;
    }
    if (!shape.equals(ids.shape())) {
      throw new IllegalArgumentException(
          name + " is " + shape + " beside " + IDS + " " + ids.shape());
    }
    return graph.input(name, shape);
  }
}
