package dev.tessera.text;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The special tokens around a text and around a pair of texts, and how both are cut to a length.
 *
 * @param single what a text becomes
 * @param pair what two texts become
 * @param cutFront whether what is too long loses its beginning rather than its end
 */
record Template(List<Part> single, List<Part> pair, boolean cutFront) {
  /** No special tokens. */
  static final Template NONE =
      new Template(
          List.of(new Part.Text(false, 0)),
          List.of(new Part.Text(false, 0), new Part.Text(true, 1)),
          false);

  /** A stretch of the result. */
  sealed interface Part {
    /** One of the texts. */
    record Text(boolean second, int typeId) implements Part {}

    /** Special tokens. */
    record Special(List<Integer> ids, int typeId) implements Part {
      public Special {
        ids = List.copyOf(ids);
      }
    }

    /** A special token, unless what is before ends with it already. */
    record End(int id, int typeId) implements Part {}
  }

  Template {
    single = List.copyOf(single);
    pair = List.copyOf(pair);
  }

  /** A text, and each of two, followed by one token. */
  static Template ending(int id) {
    Part end = new Part.Special(List.of(id), 0);
    return new Template(
        List.of(new Part.Text(false, 0), end),
        List.of(new Part.Text(false, 0), end, new Part.Text(true, 0), end),
        false);
  }

  /** A text, and each of two, followed by one token unless it ends with that. */
  static Template endingOnce(int id) {
    Part end = new Part.End(id, 0);
    return new Template(
        List.of(new Part.Text(false, 0), end),
        List.of(new Part.Text(false, 0), end, new Part.Text(true, 0), end),
        false);
  }

  /** One token, then the texts. */
  static Template beginning(int id) {
    Part first = new Part.Special(List.of(id), 0);
    return new Template(
        List.of(first, new Part.Text(false, 0)),
        List.of(
            first,
            new Part.Text(false, 0),
            new Part.Special(List.of(id), 1),
            new Part.Text(true, 1)),
        false);
  }

  /** BERT's: {@code [CLS] A [SEP]} and {@code [CLS] A [SEP] B [SEP]}. */
  static Template bert(int cls, int sep) {
    Part first = new Part.Special(List.of(cls), 0);
    Part end = new Part.Special(List.of(sep), 0);
    return new Template(
        List.of(first, new Part.Text(false, 0), end),
        List.of(
            first,
            new Part.Text(false, 0),
            end,
            new Part.Text(true, 1),
            new Part.Special(List.of(sep), 1)),
        false);
  }

  /** RoBERTa's and CLIP's: {@code <s> A </s>} and {@code <s> A </s></s> B </s>}. */
  static Template roberta(int start, int end) {
    Part first = new Part.Special(List.of(start), 0);
    Part last = new Part.Special(List.of(end), 0);
    return new Template(
        List.of(first, new Part.Text(false, 0), last),
        List.of(first, new Part.Text(false, 0), last, last, new Part.Text(true, 0), last),
        false);
  }

  Template cuttingFront() {
    return new Template(single, pair, true);
  }

  /**
   * Puts the special tokens around one or two texts, after cutting them so that all together are at
   * most {@code limit}.
   */
  Encoding encode(int[] first, int @Nullable [] second, int limit) {
    List<Part> parts = second == null ? single : pair;
    int[] lengths = {first.length, second == null ? 0 : second.length};
    int room = Math.max(0, limit - special(parts));
    if ((long) lengths[0] + lengths[1] > room) {
      lengths = second == null ? new int[] {room, 0} : shares(lengths[0], lengths[1], room);
    }
    int[][] texts = {cut(first, lengths[0]), second == null ? new int[0] : cut(second, lengths[1])};
    Ids ids = new Ids();
    Ids types = new Ids();
    for (Part part : parts) {
      int typeId;
      switch (part) {
        case Part.Text(boolean isSecond, int type) -> {
          typeId = type;
          ids.addAll(texts[isSecond ? 1 : 0]);
        }
        case Part.Special(List<Integer> tokens, int type) -> {
          typeId = type;
          for (int id : tokens) {
            ids.add(id);
          }
        }
        case Part.End(int id, int type) -> {
          typeId = type;
          if (ids.size() == 0 || ids.last() != id) {
            ids.add(id);
          }
        }
      }
      while (types.size() < ids.size()) {
        types.add(typeId);
      }
    }
    return new Encoding(ids.toArray(), types.toArray());
  }

  private static int special(List<Part> parts) {
    int count = 0;
    for (Part part : parts) {
      count +=
          switch (part) {
            case Part.Text _ -> 0;
            case Part.Special(List<Integer> ids, int _) -> ids.size();
            case Part.End _ -> 1;
          };
    }
    return count;
  }

  /** How much of each text is kept: the longer one gives first, then both have half. */
  private static int[] shares(int first, int second, int room) {
    int shorter = Math.min(first, second);
    int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = shorter + room % 2;
    }
    return first <= second ? new int[] {shorter, longer} : new int[] {longer, shorter};
  }

  private int[] cut(int[] ids, int length) {
    if (length >= ids.length) {
      return ids;
    }
    return cutFront
        ? Arrays.copyOfRange(ids, ids.length - length, ids.length)
        : Arrays.copyOf(ids, length);
  }
}
