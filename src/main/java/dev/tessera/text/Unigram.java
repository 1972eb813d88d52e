package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The unigram language model (Kudo, arXiv:1804.10959): of all ways to write a text as pieces, the
 * one whose pieces are the most probable together, found by Viterbi's algorithm. A character that
 * is no piece may stand for itself at a penalty.
 */
final class Unigram {
  /** How much less probable than the rarest piece an unknown character is. */
  private static final float UNKNOWN_PENALTY = 10;

  /** A piece: how probable it is, and whether it was asked for by name. */
  interface Scores {
    /** The logarithm of a piece's probability. */
    double of(int id, int length);
  }

  private final SortedPieces pieces;
  private final Scores scores;
  private final double unknownScore;
  private final int unknown;
  private final boolean doublePrecision;

  /**
   * @param minimum score of the rarest piece
   * @param unknown id of what is no piece
   * @param doublePrecision how scores are summed; the two kinds of implementation break ties of
   *     rounding in different ways
   */
  Unigram(
      SortedPieces pieces, Scores scores, double minimum, int unknown, boolean doublePrecision) {
    this.pieces = pieces;
    this.scores = scores;
    this.unknown = unknown;
    this.doublePrecision = doublePrecision;
    this.unknownScore =
        doublePrecision ? minimum - UNKNOWN_PENALTY : (float) minimum - UNKNOWN_PENALTY;
  }

  /** A part of the text, from {@code from} to {@code to}, and its id. */
  record Part(int from, int to, int id) {}

  /** The most probable pieces of a text in UTF-8, in order. */
  List<Part> split(byte[] text) {
    int size = text.length;
    double[] best = new double[size + 1];
    int[] start = new int[size + 1];
    int[] id = new int[size + 1];
    Arrays.fill(start, -1);
    boolean[] single = new boolean[1];
    for (int from = 0; from < size; ) {
      int at = from;
      int character = Math.min(length(text[at]), size - at);
      single[0] = false;
      pieces.find(
          text,
          at,
          size,
          (length, piece) -> {
            double candidate = scores.of(piece, length) + best[at];
            offer(best, start, id, at, at + length, rounded(candidate), piece);
            single[0] |= length == character;
          });
      if (!single[0]) {
        double candidate = unknownScore + best[at];
        offer(best, start, id, at, at + character, rounded(candidate), unknown);
      }
      from += character;
    }
    List<Part> parts = new ArrayList<>();
    for (int to = size; to > 0; to = start[to]) {
      parts.add(new Part(start[to], to, id[to]));
    }
    return parts.reversed();
  }

  private void offer(
      double[] best, int[] start, int[] id, int from, int to, double candidate, int piece) {
    if (start[to] < 0 || candidate > best[to]) {
      best[to] = candidate;
      start[to] = from;
      id[to] = piece;
    }
  }

  private double rounded(double score) {
    return doublePrecision ? score : (float) score;
  }

  /** Bytes of the character that begins with {@code first}. */
  static int length(byte first) {
    int b = first & 0xff;
    return b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
  }

  /**
   * The model of type Unigram in a {@code tokenizer.json}: unknown characters side by side are one
   * token, or the tokens of their bytes.
   *
   * @param unknown id of what is no piece
   */
  record Model(Vocabulary vocabulary, Unigram pieces, int unknown, boolean byteFallback)
      implements SubwordModel {
    @Override
    public void encode(String word, Ids ids) {
      byte[] text = word.getBytes(StandardCharsets.UTF_8);
      int unknownFrom = -1;
      for (Part part : pieces.split(text)) {
        if (part.id() == unknown) {
          unknownFrom = unknownFrom < 0 ? part.from() : unknownFrom;
        } else {
          unknownFrom = flush(text, unknownFrom, part.from(), ids);
          ids.add(part.id());
        }
      }
      flush(text, unknownFrom, text.length, ids);
    }

    private int flush(byte[] text, int from, int to, Ids ids) {
      if (from >= 0) {
        byte[] part = Arrays.copyOfRange(text, from, to);
        int id = vocabulary.id(new String(part, StandardCharsets.UTF_8));
        if (id >= 0) {
          ids.add(id);
        } else if (!byteFallback || !BytePieces.add(part, vocabulary, ids)) {
          ids.add(unknown);
        }
      }
      return -1;
    }

    /** The model over pieces and their scores; ids are places in the list. */
    static Model of(
        Vocabulary vocabulary, List<String> tokens, double[] scores, int unknown, boolean bytes) {
      SortedPieces.Builder sorted = new SortedPieces.Builder();
      double minimum = Double.POSITIVE_INFINITY;
      for (int i = 0; i < scores.length; i++) {
        sorted.add(tokens.get(i), i);
        minimum = Math.min(minimum, scores[i]);
      }
      Unigram pieces =
          new Unigram(sorted.build(), (id, length) -> scores[id], minimum, unknown, true);
      return new Model(vocabulary, pieces, unknown, bytes);
    }
  }
}
