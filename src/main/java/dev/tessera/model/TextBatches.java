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
 * Puts texts of about the same length together, so that little is computed for padding.
 *
 * @param padId the id that fills up shorter texts
 * @param limit the most tokens of a text
 * @param full whether all texts are filled up to the limit, and padding counts like other tokens
 * @param masked whether the model is told what is padding
 * @param fewShapes whether lengths and numbers of texts are rounded up, so that shapes recur
 */
record TextBatches(int padId, int limit, boolean full, boolean masked, boolean fewShapes) {
  /** Tokens of a batch: enough to keep all cores in large products. */
  private static final int TOKENS = 512;

  /** Where few shapes are wanted, lengths are multiples of this. */
  private static final int STEP = 8;

  static TextBatches of(TextModel model, Tokenizer tokenizer, boolean fewShapes) {
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
              true,
              fewShapes);
      // What follows the end of a text is seen by nothing that is asked for.
      case ClipText _ -> new TextBatches(pad, limit, false, false, fewShapes);
      case SiglipText _ ->
          new TextBatches(pad, model.embeddings().positions(), true, false, fewShapes);
    };
  }

  /**
   * Some texts as the model takes them.
   *
   * @param inputs by names
   * @param shape of each: {@code [rows, tokens]}; rows after {@link #count} are padding alone
   * @param places of the texts among all
   * @param lengths of the texts in tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // made once and handed on
  record Batch(Map<String, Tensor> inputs, Shape shape, int[] places, int[] lengths) {
    int count() {
      return places.length;
    }
  }

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
      int tokens = full ? limit : padded(texts.get(order[from]).length);
      int most = Math.max(1, TOKENS / tokens);
      int to = Math.min(order.length, from + most);
      int rows = fewShapes ? ImageClassifier.size(to - from, most) : to - from;
      batches.add(batch(texts, Arrays.copyOfRange(order, from, to), Shape.of(rows, tokens)));
      from = to;
    }
    return batches;
  }

  /** How many tokens a batch has whose longest text has {@code length}. */
  private int padded(int length) {
    int step = fewShapes ? STEP : 1;
    return Math.min(limit, Math.max(1, (length + step - 1) / step) * step);
  }

  private Batch batch(List<int[]> texts, int[] places, Shape shape) {
    int tokens = shape.last();
    long[] ids = new long[Math.toIntExact(shape.elements())];
    long[] mask = new long[ids.length];
    int[] lengths = new int[places.length];
    Arrays.fill(ids, padId);
    for (int row = places.length; row * tokens < mask.length; row++) {
      mask[row * tokens] = 1; // a row of padding alone sees its first token rather than nothing
    }
    for (int row = 0; row < places.length; row++) {
      int[] text = texts.get(places[row]);
      lengths[row] = Math.min(text.length, tokens);
      for (int t = 0; t < lengths[row]; t++) {
        ids[row * tokens + t] = text[t];
        mask[row * tokens + t] = 1;
      }
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put(TextModel.IDS, Tensor.of(shape, ids));
    if (masked) {
      inputs.put(TextModel.MASK, Tensor.of(shape, mask));
    }
    return new Batch(inputs, shape, places, lengths);
  }
}
