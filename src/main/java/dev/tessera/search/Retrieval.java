package dev.tessera.search;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * How well a search by example does over labelled pictures: each is the query once, all others are
 * ranked, and those of its label are the right ones.
 *
 * @param queries pictures that had another one of their label
 * @param precisionAt5 how many of the first five are right, 0 to 1, on average over the queries
 * @param precisionAt10 how many of the first ten
 * @param meanAveragePrecision the precision at each right picture's place in the whole ranking,
 *     averaged over them and then over the queries
 */
public record Retrieval(
    int queries, double precisionAt5, double precisionAt10, double meanAveragePrecision) {
  private static final int BLOCK = 4096;

  /** Ranks all pictures of {@code index} for each of them. */
  public static Retrieval of(Index index, int threads) throws IndexException {
    int count = 0;
    int[] rows = new int[index.count()];
    String[] labels = new String[index.count()];
    for (int row = 0; row < index.rowCount(); row++) {
      if (!index.isRemoved(row)) {
        rows[count] = row;
        labels[count++] = index.entry(row).label();
      }
    }
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try (Arena arena = Arena.ofShared()) {
      float[][] vectors = new float[count][];
      for (int i = 0; i < count; i++) {
        vectors[i] = index.rows().get(rows[i]);
      }
      Rows live = Rows.of(arena, vectors);
      List<Callable<double[]>> parts = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        int first = thread;
        parts.add(() -> part(live, labels, first, threads));
      }
      double[] sums = new double[4];
      for (Future<double[]> part : executor.invokeAll(parts)) {
        double[] found = part.get();
        for (int i = 0; i < sums.length; i++) {
          sums[i] += found[i];
        }
      }
      int queries = (int) sums[0];
      double all = Math.max(1, queries);
      return new Retrieval(queries, sums[1] / all, sums[2] / all, sums[3] / all);
    } catch (ExecutionException e) {
      throw new IllegalStateException("ranking failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } finally {
      executor.shutdown();
    }
  }

  /** Sums over every {@code step}th query: queries, both precisions, average precisions. */
  private static double[] part(Rows rows, String[] labels, int first, int step) {
    InnerProducts products = InnerProducts.of((double) rows.count() * rows.count() * rows.stride());
    double[] sums = new double[4];
    float[] scores = new float[BLOCK];
    long[] ranking = new long[rows.count()];
    for (int query = first; query < rows.count(); query += step) {
      for (int row = 0; row < rows.count(); row += BLOCK) {
        int length = Math.min(BLOCK, rows.count() - row);
        products.row(rows.address(query), rows.address(row), length, rows.stride(), scores);
        for (int i = 0; i < length; i++) {
          ranking[row + i] = key(row + i == query ? Float.NEGATIVE_INFINITY : scores[i], row + i);
        }
      }
      Arrays.sort(ranking);
      add(labels, query, ranking, sums);
    }
    return sums;
  }

  /** Sorts from the best score to the worst, and earlier rows first among equal ones. */
  private static long key(float score, int row) {
    int bits = Float.floatToIntBits(score + 0f);
    int ordered = bits ^ (bits >> 31 & 0x7fffffff);
    return (long) ~ordered << 32 | row;
  }

  private static void add(String[] labels, int query, long[] ranking, double[] sums) {
    String label = labels[query];
    int right = 0;
    double precisions = 0;
    double at5 = 0;
    double at10 = 0;
    for (int place = 1; place < ranking.length; place++) {
      if (labels[(int) ranking[place - 1]].equals(label)) {
        right++;
        precisions += (double) right / place;
        at5 += place <= 5 ? 1 : 0;
        at10 += place <= 10 ? 1 : 0;
      }
    }
    if (right > 0) {
      sums[0]++;
      sums[1] += at5 / 5;
      sums[2] += at10 / 10;
      sums[3] += precisions / right;
    }
  }
}
