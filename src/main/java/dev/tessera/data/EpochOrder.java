package dev.tessera.data;

import dev.tessera.image.Draws;
import java.util.ArrayList;
import java.util.List;

/** Which image is at which position of an epoch: a function of the seed and the epoch's number. */
final class EpochOrder {
  private static final long SHUFFLE = 1;
  private static final long CLASS = 2;

  private final LabelledImages images;
  private final Batches.Sampling sampling;
  private final long seed;

  EpochOrder(LabelledImages images, Batches.Sampling sampling, long seed) {
    this.images = images;
    this.sampling = sampling;
    this.seed = seed;
  }

  /** Indices of images, as many as there are images. */
  int[] of(long epoch) {
    int[] order = new int[images.size()];
    switch (sampling) {
      case ORDERED, SHUFFLED -> {
        for (int i = 0; i < order.length; i++) {
          order[i] = i;
        }
      }
      case BALANCED -> balanced(order, epoch);
    }
    if (sampling != Batches.Sampling.ORDERED) {
      shuffle(order, Draws.of(seed, SHUFFLE, epoch));
    }
    return order;
  }

  /**
   * As many images of every class that has any; the images of small classes again and again, each
   * as often as the others up to one.
   */
  private void balanced(int[] order, long epoch) {
    List<int[]> classes = new ArrayList<>();
    int[] counts = images.counts();
    int[][] members = new int[counts.length][];
    for (int c = 0; c < counts.length; c++) {
      members[c] = new int[counts[c]];
      if (counts[c] > 0) {
        classes.add(members[c]);
      }
      counts[c] = 0;
    }
    for (int i = 0; i < images.size(); i++) {
      int label = images.get(i).label();
      members[label][counts[label]++] = i;
    }
    int at = 0;
    int share = order.length / classes.size();
    int rest = order.length % classes.size();
    for (int c = 0; c < classes.size(); c++) {
      int[] pool = classes.get(c);
      // The classes that get one more differ from epoch to epoch.
      int quota = share + (Math.floorMod(c - epoch, classes.size()) < rest ? 1 : 0);
      for (int taken = 0, round = 0; taken < quota; taken += pool.length, round++) {
        shuffle(pool, Draws.of(seed, CLASS, epoch, c, round));
        int count = Math.min(pool.length, quota - taken);
        System.arraycopy(pool, 0, order, at, count);
        at += count;
      }
    }
  }

  /** Fisher and Yates. */
  private static void shuffle(int[] values, Draws draws) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = draws.below(i + 1);
      int value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
  }
}
