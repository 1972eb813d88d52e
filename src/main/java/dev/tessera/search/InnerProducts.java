package dev.tessera.search;

/**
 * Inner products of queries with rows, the whole of the work of a search. Vectors are at addresses
 * outside the heap, padded with zeros to {@code stride} floats, a multiple of 16.
 */
interface InnerProducts {
  /** Queries that {@link #panel} takes at once, at most 64. */
  int columns();

  /** The inner products of one query with {@code count} rows on end, to {@code scores}. */
  void row(long query, long rows, int count, int stride, float[] scores);

  /** The inner products of one query with the rows at some addresses. */
  void gather(long query, long[] rows, int count, int stride, float[] scores);

  /**
   * Adds to the inner products of {@link #columns} queries with {@code count} rows on end those of
   * a range of dimensions.
   *
   * @param panel the queries' floats in that range, {@code [depth][columns]}
   * @param rows address of the first row's first float in that range
   * @param depth floats in the range
   * @param scores {@code [count][columns]}
   */
  void panel(long panel, long rows, int count, int stride, int depth, float[] scores);

  /**
   * A bit for each of {@code columns} scores, from the lowest on: whether it reaches its threshold.
   *
   * @param at of the first score
   */
  long reached(float[] scores, int at, float[] thresholds);

  /** The fastest there is in this JVM, for searches of so many multiplications together. */
  static InnerProducts of(double multiplications) {
    return multiplications >= PlainProducts.ENOUGH && hasVectorApi()
        ? new VectorProducts()
        : new PlainProducts();
  }

  private static boolean hasVectorApi() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }
}
