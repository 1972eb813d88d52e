package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding: a word starts as its characters, and of all neighbours that may be merged the
 * pair that was learned first is, until none may (Sennrich et al., arXiv:1508.07909).
 */
final class Bpe implements SubwordModel {
  /**
   * The settings of a model of type BPE in a {@code tokenizer.json}.
   *
   * @param unknown id of what is not in the vocabulary; -1 to leave it out
   * @param continuingPrefix before every character of a word but the first, or empty
   * @param endSuffix after the last character of a word, or empty
   * @param fuseUnknown whether unknown characters side by side are one token
   * @param byteFallback whether an unknown character becomes tokens such as {@code <0xE4>}
   * @param ignoreMerges whether a word that is a token is taken as it is
   */
  record Settings(
      int unknown,
      String continuingPrefix,
      String endSuffix,
      boolean fuseUnknown,
      boolean byteFallback,
      boolean ignoreMerges) {}

  /** Two tokens that may be merged. */
  private record Merge(int rank, int id) {}

  /** A pair that may be merged now, unless one of its halves changes before. */
  private record Candidate(int rank, int position, int id) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      return rank != other.rank
          ? Integer.compare(rank, other.rank)
          : Integer.compare(position, other.position);
    }
  }

  private final Vocabulary vocabulary;
  private final Settings settings;
  private final Map<Long, Merge> merges;

  /**
   * @param merges pairs of tokens, those learned first first
   * @throws IllegalArgumentException if a token in the merges is not in the vocabulary
   */
  Bpe(Vocabulary vocabulary, Iterable<String[]> merges, Settings settings) {
    this.vocabulary = vocabulary;
    this.settings = settings;
    this.merges = new HashMap<>();
    int rank = 0;
    int prefix = settings.continuingPrefix().length();
    for (String[] pair : merges) {
      int left = known(pair[0]);
      int right = known(pair[1]);
      int whole = known(pair[0] + pair[1].substring(Math.min(prefix, pair[1].length())));
      this.merges.put(key(left, right), new Merge(rank++, whole));
    }
  }

  private int known(String token) {
    int id = vocabulary.id(token);
    if (id < 0) {
      throw new IllegalArgumentException(
          "the merges need the token \"" + token + "\", which the vocabulary lacks");
    }
    return id;
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  @Override
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  @Override
  public void encode(String word, Ids ids) {
    if (settings.ignoreMerges()) {
      int whole = vocabulary.id(word);
      if (whole >= 0) {
        ids.add(whole);
        return;
      }
    }
    Ids characters = new Ids();
    characters(word, characters);
    merge(characters.toArray(), ids);
  }

  private void characters(String word, Ids ids) {
    boolean unknownBefore = false;
    for (int i = 0; i < word.length(); ) {
      int end = word.offsetByCodePoints(i, 1);
      String character = word.substring(i, end);
      String token =
          (i == 0 ? "" : settings.continuingPrefix())
              + character
              + (end == word.length() ? settings.endSuffix() : "");
      int id = vocabulary.id(token);
      if (id >= 0) {
        ids.add(id);
        unknownBefore = false;
      } else if (!settings.byteFallback()
          || !BytePieces.add(token.getBytes(StandardCharsets.UTF_8), vocabulary, ids)) {
        if (settings.unknown() >= 0 && !(settings.fuseUnknown() && unknownBefore)) {
          ids.add(settings.unknown());
        }
        unknownBefore = true;
      } else {
        unknownBefore = false;
      }
      i = end;
    }
  }

  /** The symbols are a linked list over their places in {@code ids}; -1 marks what was merged. */
  private void merge(int[] symbols, Ids ids) {
    int count = symbols.length;
    int[] next = new int[count];
    int[] previous = new int[count];
    PriorityQueue<Candidate> queue = new PriorityQueue<>();
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
      if (i > 0) {
        offer(queue, symbols, i - 1, i);
      }
    }
    while (!queue.isEmpty()) {
      Candidate candidate = queue.poll();
      int left = candidate.position();
      int right = symbols[left] < 0 ? count : next[left];
      if (right == count) {
        continue;
      }
      Merge merge = merges.get(key(symbols[left], symbols[right]));
      if (merge == null || merge.id() != candidate.id()) {
        continue; // one of the two was merged with something else
      }
      symbols[left] = merge.id();
      symbols[right] = -1;
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
        offer(queue, symbols, left, next[left]);
      }
      if (previous[left] >= 0) {
        offer(queue, symbols, previous[left], left);
      }
    }
    for (int i = 0; i < count; i = next[i]) {
      ids.add(symbols[i]);
    }
  }

  private void offer(PriorityQueue<Candidate> queue, int[] symbols, int left, int right) {
    Merge merge = merges.get(key(symbols[left], symbols[right]));
    if (merge != null) {
      queue.add(new Candidate(merge.rank(), left, merge.id()));
    }
  }
}
