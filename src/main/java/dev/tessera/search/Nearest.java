package dev.tessera.search;

import java.util.Arrays;

/**
 * Keeps the best {@code k} of many rows: a heap whose root is the worst that is kept, in which of
 * equal scores the later row counts as worse.
 */
final class Nearest implements ExactScan.Collector {
  private final float[] scores;
  private final int[] rows;
  private int size;

  Nearest(int k) {
    scores = new float[k];
    rows = new int[k];
  }

  @Override
  public float threshold() {
    if (scores.length == 0) {
      return Float.POSITIVE_INFINITY;
    }
    return size < scores.length ? Float.NEGATIVE_INFINITY : scores[0];
  }

  @Override
  public void offer(int row, float score) {
    if (Float.isNaN(score)) {
      return;
    }
    if (size < scores.length) {
      int at = size++;
      while (at > 0 && worse(row, score, (at - 1) / 2)) {
        int parent = (at - 1) / 2;
        scores[at] = scores[parent];
        rows[at] = rows[parent];
        at = parent;
      }
      scores[at] = score;
      rows[at] = row;
    } else if (size > 0 && !worse(row, score, 0)) {
      replaceRoot(row, score);
    }
  }

  /** Whether a row is worse than the one at {@code other}. */
  private boolean worse(int row, float score, int other) {
    return score < scores[other] || (score == scores[other] && row > rows[other]);
  }

  private void replaceRoot(int row, float score) {
    int at = 0;
    while (true) {
      int child = 2 * at + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && worse(rows[child + 1], scores[child + 1], child)) {
        child++;
      }
      if (worse(row, score, child)) {
        break;
      }
      scores[at] = scores[child];
      rows[at] = rows[child];
      at = child;
    }
    scores[at] = score;
    rows[at] = row;
  }

  void offerAll(Nearest other) {
    for (int i = 0; i < other.size; i++) {
      offer(other.rows[i], other.scores[i]);
    }
  }

  /** What was kept. */
  Neighbors best() {
    // Scores as integers of the same order, turned round, and below them the rows: sorted upwards.
    long[] keys = new long[size];
    for (int i = 0; i < size; i++) {
      int bits = Float.floatToIntBits(scores[i] + 0f);
      int ordered = bits ^ (bits >> 31 & 0x7fffffff);
      keys[i] = (long) ~ordered << 32 | rows[i];
    }
    Arrays.sort(keys);
    int[] sortedRows = new int[size];
    float[] sortedScores = new float[size];
    for (int i = 0; i < size; i++) {
      sortedRows[i] = (int) keys[i];
      int ordered = ~(int) (keys[i] >> 32);
      sortedScores[i] = Float.intBitsToFloat(ordered ^ (ordered >> 31 & 0x7fffffff));
    }
    return new Neighbors(sortedRows, sortedScores);
  }
}
