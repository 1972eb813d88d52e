package dev.tessera.search;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The nearest rows of queries by looking at every row.
 *
 * <p>One query runs down the rows as fast as memory is read. Many queries share the way: a block of
 * rows that fits the second-level cache is multiplied with one panel of queries after the other, as
 * in a matrix product. Threads take turns at ranges of rows and join what each has found. The
 * result does not depend on their number.
 */
public final class ExactScan implements AutoCloseable {
  /** Rows of a block: with 64 queries, a score block of 32 KB. */
  private static final int BLOCK = 128;

  /** Dimensions at a time: 64 queries by 128 are 32 KB, the first-level cache. */
  private static final int DEPTH = 128;

  /** Queries from which panels pay. */
  private static final int MANY = 16;

  /** Multiplications below which waking another thread takes longer. */
  private static final double WORTH_SHARING = 2e6;

  private final int threads;
  private final @Nullable ExecutorService executor;

  /**
   * @param threads that search, the calling one included
   */
  public ExactScan(int threads) {
    this.threads = threads;
    this.executor =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads - 1, Thread.ofPlatform().daemon().name("tessera-scan-", 0).factory());
  }

  /**
   * The {@code k} rows with the largest inner products with each query.
   *
   * @param queries each of the rows' dimensions
   * @param accepted which rows may be found; null for all
   */
  public List<Neighbors> search(
      Rows rows, float[][] queries, int k, @Nullable IntPredicate accepted) {
    for (float[] query : queries) {
      if (query.length != rows.dimensions()) {
        throw new IllegalArgumentException(
            "a query of " + query.length + " numbers for vectors of " + rows.dimensions());
      }
    }
    int size = Math.min(k, rows.count());
    double work = (double) rows.count() * rows.stride() * queries.length;
    try (Arena arena = Arena.ofShared()) {
      Search search =
          new Search(rows, Rows.of(arena, queries), queries.length, size, accepted, work, arena);
      return search.run(work < WORTH_SHARING ? 1 : threads);
    }
  }

  @Override
  public void close() {
    if (executor != null) {
      executor.shutdown();
    }
  }

  /** One call's work. */
  private final class Search {
    private final Rows rows;
    private final Rows queries;
    private final int count;
    private final int k;
    private final @Nullable IntPredicate accepted;
    private final InnerProducts products;
    private final int groups;
    private final long panels;
    private final long panelBytes;

    Search(
        Rows rows,
        Rows queries,
        int count,
        int k,
        @Nullable IntPredicate accepted,
        double work,
        Arena arena) {
      this.rows = rows;
      this.queries = queries;
      this.count = count;
      this.k = k;
      this.accepted = accepted;
      this.products = InnerProducts.of(work);
      this.groups = count < MANY ? 0 : Math.ceilDiv(count, products.columns());
      this.panelBytes = 4L * rows.stride() * products.columns();
      this.panels = groups == 0 ? 0 : pack(arena);
    }

    /** The queries as panels {@code [stride][columns]}, the last filled up with zeros. */
    private long pack(Arena arena) {
      MemorySegment memory = arena.allocate(groups * panelBytes, 64);
      int columns = products.columns();
      for (int query = 0; query < count; query++) {
        float[] vector = queries.get(query);
        long base = query / columns * panelBytes + 4L * (query % columns);
        for (int i = 0; i < vector.length; i++) {
          memory.set(Rows.FLOAT, base + 4L * columns * i, vector[i]);
        }
      }
      return memory.address();
    }

    List<Neighbors> run(int threads) {
      int parts = Math.min(threads, Math.max(1, rows.count() / BLOCK));
      List<Future<Nearest[]>> others = new ArrayList<>();
      for (int part = 1; part < parts && executor != null; part++) {
        int from = border(part, parts);
        int to = border(part + 1, parts);
        others.add(executor.submit(() -> scan(from, to)));
      }
      Nearest[] nearest = scan(0, border(1, parts));
      for (Future<Nearest[]> other : others) {
        Nearest[] found = join(other);
        for (int i = 0; i < count; i++) {
          nearest[i].offerAll(found[i]);
        }
      }
      List<Neighbors> neighbors = new ArrayList<>(count);
      for (Nearest best : nearest) {
        neighbors.add(best.best());
      }
      return neighbors;
    }

    private int border(int part, int parts) {
      return part == parts ? rows.count() : (int) ((long) rows.count() * part / parts) & -BLOCK;
    }

    private static Nearest[] join(Future<Nearest[]> other) {
      boolean interrupted = false;
      try {
        while (true) {
          try {
            return other.get();
          } catch (InterruptedException e) {
            // The memory must not be freed while the other thread reads it.
            interrupted = true;
          } catch (ExecutionException e) {
            throw new IllegalStateException("a search failed: " + e.getCause(), e);
          }
        }
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }

    private Nearest[] scan(int from, int to) {
      Nearest[] nearest = new Nearest[count];
      for (int i = 0; i < count; i++) {
        nearest[i] = new Nearest(k);
      }
      float[] scores = new float[BLOCK * products.columns()];
      float[] thresholds = new float[products.columns()];
      for (int row = from; row < to; ) {
        int length = Math.min(Math.min(BLOCK, to - row), rows.remaining(row));
        for (int group = 0; group < groups; group++) {
          scanPanel(row, length, group, nearest, scores, thresholds);
        }
        for (int query = 0; query < count && groups == 0; query++) {
          products.row(queries.address(query), rows.address(row), length, rows.stride(), scores);
          offer(row, length, scores, nearest[query]);
        }
        row += length;
      }
      return nearest;
    }

    private void offer(int row, int length, float[] scores, Nearest nearest) {
      float threshold = nearest.threshold();
      for (int i = 0; i < length; i++) {
        if (scores[i] >= threshold && (accepted == null || accepted.test(row + i))) {
          nearest.offer(row + i, scores[i]);
          threshold = nearest.threshold();
        }
      }
    }

    private void scanPanel(
        int row, int length, int group, Nearest[] nearest, float[] scores, float[] thresholds) {
      int columns = products.columns();
      int first = group * columns;
      Arrays.fill(scores, 0, length * columns, 0);
      for (int at = 0; at < rows.stride(); at += DEPTH) {
        products.panel(
            panels + group * panelBytes + 4L * at * columns,
            rows.address(row) + 4L * at,
            length,
            rows.stride(),
            Math.min(DEPTH, rows.stride() - at),
            scores);
      }
      for (int i = 0; i < columns; i++) {
        thresholds[i] =
            first + i < count ? nearest[first + i].threshold() : Float.POSITIVE_INFINITY;
      }
      for (int i = 0; i < length; i++) {
        int column = products.reaching(scores, i * columns, thresholds, 0);
        while (column < columns) {
          if (first + column < count && (accepted == null || accepted.test(row + i))) {
            Nearest best = nearest[first + column];
            best.offer(row + i, scores[i * columns + column]);
            thresholds[column] = best.threshold();
          }
          column = products.reaching(scores, i * columns, thresholds, column + 1);
        }
      }
    }
  }
}
