package dev.tessera.search;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntPredicate;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TaskExecutor;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.hnsw.HnswBuilder;
import org.apache.lucene.util.hnsw.HnswConcurrentMergeBuilder;
import org.apache.lucene.util.hnsw.HnswGraphBuilder;
import org.apache.lucene.util.hnsw.HnswGraphSearcher;
import org.apache.lucene.util.hnsw.OnHeapHnswGraph;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;
import org.apache.lucene.util.hnsw.UpdateableRandomVectorScorer;
import org.jspecify.annotations.Nullable;

/**
 * Approximate nearest rows by Lucene's hierarchical navigable small world graph (Malkov and
 * Yashunin, arXiv:1603.09320), built over {@link Rows} and kept in a file of its own: the vectors
 * themselves are not stored again.
 *
 * <p>Lucene's builder and searcher are used without its index; their classes are internal to
 * Lucene, so its version is pinned.
 */
public final class Hnsw {
  /** Neighbours of a node; twice as many on the lowest level. */
  static final int CONNECTIONS = 16;

  /** Candidates looked at when a node is linked. */
  static final int BUILD_BEAM = 128;

  private static final long SEED = 42;

  private final Rows rows;
  private final NeighborGraph graph;

  private Hnsw(Rows rows, NeighborGraph graph) {
    this.rows = rows;
    this.graph = graph;
  }

  /** Builds the graph over all of {@code rows} and writes it to {@code target}. */
  public static void build(Rows rows, int threads, Path target) throws IOException {
    build(rows, threads, CONNECTIONS, BUILD_BEAM, target);
  }

  static void build(Rows rows, int threads, int connections, int beam, Path target)
      throws IOException {
    Suppliers suppliers = new Suppliers(rows);
    HnswGraphBuilder empty =
        HnswGraphBuilder.create(suppliers, connections, beam, SEED, rows.count());
    ExecutorService executor = threads > 1 ? Executors.newFixedThreadPool(threads) : null;
    try {
      HnswBuilder builder =
          executor == null
              ? empty
              : new HnswConcurrentMergeBuilder(
                  new TaskExecutor(executor),
                  threads,
                  suppliers,
                  connections,
                  beam,
                  empty.getGraph(),
                  null);
      OnHeapHnswGraph graph = builder.build(rows.count());
      NeighborGraph.write(graph, target);
    } finally {
      if (executor != null) {
        executor.shutdown();
      }
    }
  }

  /**
   * Opens a graph over the first of {@code rows}.
   *
   * @throws IOException if the file is no intact graph over at most so many rows
   */
  public static Hnsw open(Path file, Rows rows, Arena arena) throws IOException {
    return new Hnsw(rows, NeighborGraph.open(file, rows.count(), arena));
  }

  /** How many rows it covers, from the first on. */
  public int count() {
    return graph.size();
  }

  /**
   * The {@code k} rows with the largest inner products with {@code query}, or nearly those.
   *
   * @param beam candidates kept on the way, at least {@code k}: more find better and take longer
   * @param accepted which rows may be found; null for all
   */
  public Neighbors search(float[] query, int k, int beam, @Nullable IntPredicate accepted)
      throws IOException {
    if (query.length != rows.dimensions()) {
      throw new IllegalArgumentException(
          "a query of " + query.length + " numbers for vectors of " + rows.dimensions());
    }
    try (Arena arena = Arena.ofConfined()) {
      Rows queries = Rows.of(arena, new float[][] {query});
      Scorer scorer = new Scorer(rows, graph.size());
      scorer.query = queries.address(0);
      TopKnnCollector collector = new TopKnnCollector(Math.max(k, beam), Integer.MAX_VALUE);
      HnswGraphSearcher.search(scorer, collector, graph.view(), bits(accepted));
      ScoreDoc[] found = collector.topDocs().scoreDocs;
      Nearest nearest = new Nearest(Math.min(k, found.length));
      for (ScoreDoc row : found) {
        nearest.offer(row.doc, row.score);
      }
      return nearest.best();
    }
  }

  private @Nullable Bits bits(@Nullable IntPredicate accepted) {
    if (accepted == null) {
      return null;
    }
    return new Bits() {
      @Override
      public boolean get(int row) {
        return accepted.test(row);
      }

      @Override
      public int length() {
        return graph.size();
      }
    };
  }

  /** Inner products with one row or one query. */
  private static final class Scorer implements UpdateableRandomVectorScorer {
    private final Rows rows;
    private final int count;
    private final InnerProducts products = InnerProducts.of(Double.POSITIVE_INFINITY);
    private final long[] addresses = new long[256];
    private final float[] one = new float[1];
    private long query;

    Scorer(Rows rows, int count) {
      this.rows = rows;
      this.count = count;
    }

    @Override
    public void setScoringOrdinal(int row) {
      query = rows.address(row);
    }

    @Override
    public float score(int row) {
      addresses[0] = rows.address(row);
      products.gather(query, addresses, 1, rows.stride(), one);
      return one[0];
    }

    @Override
    public float bulkScore(int[] nodes, float[] scores, int number) {
      if (number > addresses.length) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < number; i++) {
          scores[i] = score(nodes[i]);
          max = Math.max(max, scores[i]);
        }
        return max;
      }
      for (int i = 0; i < number; i++) {
        addresses[i] = rows.address(nodes[i]);
      }
      products.gather(query, addresses, number, rows.stride(), scores);
      float max = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < number; i++) {
        max = Math.max(max, scores[i]);
      }
      return max;
    }

    @Override
    public int maxOrd() {
      return count;
    }
  }

  private record Suppliers(Rows rows) implements RandomVectorScorerSupplier {
    @Override
    public UpdateableRandomVectorScorer scorer() {
      return new Scorer(rows, rows.count());
    }

    @Override
    public RandomVectorScorerSupplier copy() {
      return this;
    }
  }
}
