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
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
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

  /** Queries of a join that share the way. */
  private static final int JOINED = 512;

  /** What becomes of the rows that a query finds. */
  interface Collector {
    /** What a row must reach to be offered; rows that only equal it may still lose. */
    float threshold();

    void offer(int row, float score);
  }

  /** Takes pairs of rows, from several threads at once. */
  @FunctionalInterface
  public interface Pairs {
    /**
     * One pair.
     *
     * @param row the earlier of the two
     */
    void accept(int row, int other, float score);
  }

  private final int threads;
  private final @Nullable ExecutorService executor;

  /** Multiplications so far: many small searches, too, are worth what one large search is. */
  private final AtomicLong multiplications = new AtomicLong();

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
    List<Nearest[]> found =
        search(
            rows,
            queries,
            accepted,
            () -> {
              Nearest[] nearest = new Nearest[queries.length];
              for (int i = 0; i < nearest.length; i++) {
                nearest[i] = new Nearest(size);
              }
              return nearest;
            });
    List<Neighbors> neighbors = new ArrayList<>(queries.length);
    for (int i = 0; i < queries.length; i++) {
      for (Nearest[] other : found.subList(1, found.size())) {
        found.getFirst()[i].offerAll(other[i]);
      }
      neighbors.add(found.getFirst()[i].best());
    }
    return neighbors;
  }

  /**
   * All pairs of rows whose inner product reaches {@code threshold}, in no order. Takes half as
   * many products as there are pairs of rows.
   */
  public void join(Rows rows, float threshold, Pairs pairs) {
    for (int start = 0; start < rows.count(); start += JOINED) {
      float[][] queries = new float[Math.min(JOINED, rows.count() - start)][];
      Collector[] collectors = new Collector[queries.length];
      for (int i = 0; i < queries.length; i++) {
        queries[i] = rows.get(start + i);
        collectors[i] = new Above(start, i, threshold, pairs);
      }
      search(rows.from(start), queries, null, () -> collectors);
    }
  }

  /** Hands on what comes behind a query's own row and reaches the threshold. */
  private record Above(int start, int query, float threshold, Pairs pairs) implements Collector {
    @Override
    public void offer(int row, float score) {
      if (row > query) {
        pairs.accept(start + query, start + row, score);
      }
    }
  }

  /** Returns each thread's collectors, of which {@code collectors} makes a set for each. */
  private <C extends Collector> List<C[]> search(
      Rows rows, float[][] queries, @Nullable IntPredicate accepted, Supplier<C[]> collectors) {
    double work = (double) rows.count() * rows.stride() * queries.length;
    try (Arena arena = Arena.ofShared()) {
      Search search =
          new Search(rows, Rows.of(arena, queries), queries.length, accepted, work, arena);
      return search.run(work < WORTH_SHARING ? 1 : threads, collectors);
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
    private final @Nullable IntPredicate accepted;
    private final InnerProducts products;
    private final int groups;
    private final long panels;
    private final long panelBytes;

    Search(
        Rows rows,
        Rows queries,
        int count,
        @Nullable IntPredicate accepted,
        double work,
        Arena arena) {
      this.rows = rows;
      this.queries = queries;
      this.count = count;
      this.accepted = accepted;
      this.products = InnerProducts.of((double) multiplications.addAndGet((long) work));
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

    <C extends Collector> List<C[]> run(int threads, Supplier<C[]> collectors) {
      int parts = Math.min(threads, Math.max(1, rows.count() / BLOCK));
      List<Future<C[]>> others = new ArrayList<>();
      for (int part = 1; part < parts && executor != null; part++) {
        int from = border(part, parts);
        int to = border(part + 1, parts);
        others.add(executor.submit(() -> scan(from, to, collectors.get())));
      }
      List<C[]> found = new ArrayList<>();
      try {
        found.add(scan(0, border(1, parts), collectors.get()));
      } finally {
        // The memory must not be freed while another thread reads it.
        for (Future<C[]> other : others) {
          found.add(join(other));
        }
      }
      return found;
    }

    private int border(int part, int parts) {
      return part == parts ? rows.count() : (int) ((long) rows.count() * part / parts) & -BLOCK;
    }

    private static <C> C[] join(Future<C[]> other) {
      boolean interrupted = false;
      try {
        while (true) {
          try {
            return other.get();
          } catch (InterruptedException e) {
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

    private <C extends Collector> C[] scan(int from, int to, C[] collectors) {
      float[] scores = new float[BLOCK * products.columns()];
      float[] thresholds = new float[products.columns()];
      for (int row = from; row < to; ) {
        int length = Math.min(Math.min(BLOCK, to - row), rows.remaining(row));
        for (int group = 0; group < groups; group++) {
          scanPanel(row, length, group, collectors, scores, thresholds);
        }
        for (int query = 0; query < count && groups == 0; query++) {
          products.row(queries.address(query), rows.address(row), length, rows.stride(), scores);
          offer(row, length, scores, collectors[query]);
        }
        row += length;
      }
      return collectors;
    }

    private void offer(int row, int length, float[] scores, Collector collector) {
      float threshold = collector.threshold();
      for (int i = 0; i < length; i++) {
        if (scores[i] >= threshold && (accepted == null || accepted.test(row + i))) {
          collector.offer(row + i, scores[i]);
          threshold = collector.threshold();
        }
      }
    }

    private void scanPanel(
        int row,
        int length,
        int group,
        Collector[] collectors,
        float[] scores,
        float[] thresholds) {
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
            first + i < count ? collectors[first + i].threshold() : Float.POSITIVE_INFINITY;
      }
      for (int i = 0; i < length; i++) {
        long reached = products.reached(scores, i * columns, thresholds);
        for (; reached != 0; reached &= reached - 1) {
          int column = Long.numberOfTrailingZeros(reached);
          if (accepted == null || accepted.test(row + i)) {
            Collector collector = collectors[first + column];
            collector.offer(row + i, scores[i * columns + column]);
            thresholds[column] = collector.threshold();
          }
        }
      }
    }
  }
}
