package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding as sentencepiece does it: of all neighbours that are a piece together, the two
 * whose piece has the highest score are joined, until none are; a piece that is not to be used is
 * taken apart again.
 */
final class SentencePieceBpe {
  private final SentencePieceModel model;
  private final Map<String, Integer> ids;
  private final SortedPieces userDefined;

  /**
   * @param ids of the pieces that text may become
   * @param userDefined pieces that are taken as they stand and join no others
   */
  SentencePieceBpe(SentencePieceModel model, Map<String, Integer> ids, SortedPieces userDefined) {
    this.model = model;
    this.ids = ids;
    this.userDefined = userDefined;
  }

  /** Two neighbours, by the places where they begin, and how long they are together. */
  private record Pair(float score, int left, int right, int size) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      return score != other.score
          ? Float.compare(other.score, score)
          : Integer.compare(left, other.left);
    }
  }

  /** Symbols as a linked list over the places in the text where they begin. */
  private final class Symbols {
    final byte[] text;
    final int[] size; // 0 where no symbol begins
    final int[] next;
    final int[] previous;
    final boolean[] frozen;
    final PriorityQueue<Pair> queue = new PriorityQueue<>();
    final Map<String, List<String>> unused = new HashMap<>();

    Symbols(byte[] text) {
      this.text = text;
      this.size = new int[text.length];
      this.next = new int[text.length];
      this.previous = new int[text.length];
      this.frozen = new boolean[text.length];
      int before = -1;
      for (int at = 0; at < text.length; at = next[at]) {
        int literal = userDefined.longest(text, at, text.length);
        frozen[at] = literal > 0;
        size[at] = frozen[at] ? literal : Math.min(Unigram.length(text[at]), text.length - at);
        next[at] = at + size[at];
        previous[at] = before;
        if (before >= 0) {
          offer(before, at);
        }
        before = at;
      }
    }

    String string(int from, int length) {
      return new String(text, from, length, StandardCharsets.UTF_8);
    }

    void offer(int left, int right) {
      if (left < 0 || right == text.length || frozen[left] || frozen[right]) {
        return;
      }
      int together = size[left] + size[right];
      String piece = string(left, together);
      Integer id = ids.get(piece);
      if (id == null) {
        return;
      }
      queue.add(new Pair(model.pieces().get(id).score(), left, right, together));
      if (model.pieces().get(id).type() == SentencePieceModel.Type.UNUSED) {
        unused.put(piece, List.of(string(left, size[left]), string(right, size[right])));
      }
    }

    void merge() {
      while (!queue.isEmpty()) {
        Pair pair = queue.poll();
        int left = pair.left();
        int right = pair.right();
        if (size[left] == 0 || size[right] == 0 || size[left] + size[right] != pair.size()) {
          continue; // one of the two was joined to something else
        }
        size[left] = pair.size();
        size[right] = 0;
        next[left] = next[right];
        if (next[left] < text.length) {
          previous[next[left]] = left;
        }
        offer(previous[left], left);
        offer(left, next[left]);
      }
    }
  }

  /** Told of every piece in order. */
  interface Output {
    /** {@code id} is that of the unknown piece where there is none. */
    void accept(byte[] piece, int id);
  }

  void split(byte[] text, Output output) {
    Symbols symbols = new Symbols(text);
    symbols.merge();
    for (int at = 0; at < text.length; at = symbols.next[at]) {
      emit(symbols, Arrays.copyOfRange(text, at, at + symbols.size[at]), output);
    }
  }

  private void emit(Symbols symbols, byte[] piece, Output output) {
    String text = new String(piece, StandardCharsets.UTF_8);
    Integer id = ids.get(text);
    List<String> halves = symbols.unused.get(text);
    if (id != null
        && halves != null
        && model.pieces().get(id).type() == SentencePieceModel.Type.UNUSED) {
      for (String half : halves) {
        emit(symbols, half.getBytes(StandardCharsets.UTF_8), output);
      }
    } else {
      output.accept(piece, id == null ? model.unknown() : id);
    }
  }
}
