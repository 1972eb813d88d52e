package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From ids to tokens: {@code [batch, tokens]} to {@code [batch, tokens, hidden]}, the sum of what
 * tables say about the word, its position and, for BERT, the text of a pair that it belongs to.
 *
 * @param prefix the base model's name
 * @param words name of the table of words, after {@code prefix.embeddings.}
 * @param positionTable name of the table of positions, after {@code prefix.embeddings.}
 * @param vocabulary rows of the table of words
 * @param positions rows of the table of positions: the most tokens
 * @param types rows of the table of token types; 0 for none
 * @param hidden width of a token
 */
record TextEmbeddings(
    String prefix,
    String words,
    String positionTable,
    int vocabulary,
    int positions,
    int types,
    int hidden) {
  /** The name of a table, after {@code prefix.embeddings.}. */
  private static final String TYPE_TABLE = "token_type_embeddings.weight";

  /** Declares {@code input_ids}. */
  Value ids(GraphBuilder graph, Map<String, Shape> inputs) {
    Shape shape = inputs.get(TextModel.IDS);
    if (shape == null) {
      throw new IllegalArgumentException("input_ids is missing");
    }
    if (shape.rank() != 2 || shape.elements() == 0 || shape.extent(1) > positions) {
      throw new IllegalArgumentException(
          "input_ids is "
              + shape
              + " but must be [batch, tokens] with at most "
              + positions
              + " tokens");
    }
    return graph.input(TextModel.IDS, shape);
  }

  /** The table of words. */
  Value wordTable(GraphBuilder graph) {
    return table(graph, words, vocabulary);
  }

  /**
   * Appends the embeddings.
   *
   * @param typeIds {@code [batch, tokens]}, or null where all are 0
   * @param positionIds {@code [batch, tokens]}, or null where they count from 0
   */
  Value apply(GraphBuilder graph, Value ids, @Nullable Value typeIds, @Nullable Value positionIds) {
    int tokens = ids.shape().last();
    Value x = graph.embedding(ids, wordTable(graph));
    Value table = table(graph, positionTable, positions);
    if (positionIds != null) {
      x = graph.add(x, graph.embedding(positionIds, table));
    }
    if (typeIds != null && types > 0) {
      x = graph.add(x, graph.embedding(typeIds, table(graph, TYPE_TABLE, types)));
    }
    // What is the same for all texts is one array, computed when the graph is compiled.
    Value common = positionIds == null ? graph.slice(table, 0, 0, tokens) : null;
    if (typeIds == null && types > 0) {
      Value first =
          graph.reshape(graph.slice(table(graph, TYPE_TABLE, types), 0, 0, 1), Shape.of(hidden));
      common = common == null ? first : graph.add(common, first);
    }
    return common == null ? x : graph.add(x, common);
  }

  private Value table(GraphBuilder graph, String name, int rows) {
    return graph.parameter(prefix + ".embeddings." + name, Shape.of(rows, hidden));
  }

  void check(Weights weights) throws CheckpointException {
    weights.get(prefix + ".embeddings." + words);
    weights.get(prefix + ".embeddings." + positionTable);
  }
}
