package dev.tessera.model;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import dev.tessera.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Puts texts of about the same length together, so that little is computed for padding, in shapes
 * that recur, so that few graphs are compiled.
 *
 * @param padId the id that fills up shorter texts
 * @param limit the most tokens of a text
 * @param full whether all texts are filled up to the limit, and padding counts like other tokens
 * @param masked whether the model is told what is padding
 */
record TextBatches(int padId, int limit, boolean full, boolean masked) {
  /** Tokens of a batch: enough to keep all cores in large products. */
  private static final int TOKENS = 1024;

  /** Lengths are rounded up to a multiple of this. */
  private static final int STEP = 8;

  static TextBatches of(TextModel model, Tokenizer tokenizer) {
    int pad = Math.max(0, tokenizer.padId());
    int limit = Math.min(model.embeddings().positions(), tokenizer.maxLength());
    return switch (model) {
      case Bert bert ->
          new TextBatches(
              pad,
              bert.sentence().maxLength() == Integer.MAX_VALUE
                  ? limit
                  : Math.min(bert.sentence().maxLength(), model.embeddings().positions()),
              false,
              true);
      // What follows the end of a text is seen by nothing that is asked for.
      case ClipText _ -> new TextBatches(pad, limit, false, false);
      case SiglipText _ -> new TextBatches(pad, model.embeddings().positions(), true, false);
    };
  }

  /**
   * Some texts as the model takes them.
   *
   * @param inputs by names
   * @param shape of each: {@code [rows, tokens]}; rows after {@code count} are padding alone
   * @param places of the texts among all, as many as {@code count}
   * @param lengths in tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // made once and handed on
  record Batch(Map<String, Tensor> inputs, Shape shape, int count, int[] places, int[] lengths) {}

  /** The ids of a text, cut to the limit. */
  int[] ids(Tokenizer tokenizer, String text) {
    return tokenizer.encode(text, null, limit).ids();
  }

  /** All texts, the longest first. */
  List<Batch> of(List<int[]> texts) {
    int[] order =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -texts.get(i).length))
            .mapToInt(i -> i)
            .toArray();
    List<Batch> batches = new ArrayList<>();
    for (int from = 0; from < order.length; ) {
      int tokens = full ? limit : rounded(texts.get(order[from]).length);
      int rows = Math.max(1, TOKENS / tokens);
      int to = from;
      while (to < order.length
          && to - from < rows
          && (full || rounded(texts.get(order[to]).length) == tokens)) {
        to++;
      }
      batches.add(batch(texts, order, from, to, tokens));
      from = to;
    }
    return batches;
  }

  private int rounded(int length) {
    return Math.min(limit, Math.max(1, (length + STEP - 1) / STEP) * STEP);
  }

  private Batch batch(List<int[]> texts, int[] order, int from, int to, int tokens) {
    int count = to - from;
    int rows = ImageClassifier.size(count, Math.max(1, TOKENS / tokens));
    long[] ids = new long[rows * tokens];
    long[] mask = new long[ids.length];
    int[] places = new int[count];
    int[] lengths = new int[count];
    Arrays.fill(ids, padId);
    for (int row = 0; row < rows; row++) {
      mask[row * tokens] = 1; // a row of padding alone sees its first token rather than nothing
    }
    for (int row = 0; row < count; row++) {
      int[] text = texts.get(order[from + row]);
      places[row] = order[from + row];
      lengths[row] = Math.min(text.length, tokens);
      for (int t = 0; t < lengths[row]; t++) {
        ids[row * tokens + t] = text[t];
        mask[row * tokens + t] = 1;
      }
    }
    Shape shape = Shape.of(rows, tokens);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put(TextModel.IDS, Tensor.of(shape, ids));
    if (masked) {
      inputs.put(TextModel.MASK, Tensor.of(shape, mask));
    }
    return new Batch(inputs, shape, count, places, lengths);
  }
}
