package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.graph.Value;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head attention, one head of one image a task.
 *
 * <p>Scores are computed transposed, {@code Sᵀ = K·(scale·Q)ᵀ}, a panel of queries at a time: the
 * softmax then runs down the columns without crossing lanes, and its result {@code [keys][COLUMNS]}
 * already is the packed right-hand side of {@code Oᵀ = Vᵀ·Sᵀ}. Each worker holds one panel of
 * scores; nothing holds them all.
 */
final class AttentionStep implements Step {
  /** Extents of the operation; {@code width} is that of one head. */
  record Sizes(int batch, int heads, int queries, int keys, int width) {
    static Sizes of(Value query, Value key, int heads) {
      return new Sizes(
          query.shape().extent(0),
          heads,
          query.shape().extent(1),
          key.shape().extent(1),
          query.shape().last() / heads);
    }

    int hidden() {
      return heads * width;
    }

    long products() {
      return 2L * batch * queries * keys * hidden();
    }
  }

  /** What one worker needs to compute a head; steps of the same sizes share it. */
  static final class Buffers {
    private final float[] keys;
    private final float[] values;
    private final float[] queries;
    private final float[] scores;
    private final float[] result;
    private final float[] inverse = new float[COLUMNS];
    private final long queryPanel;
    private final long scorePanel;

    Buffers(Arena arena, Sizes sizes) {
      keys = new float[Lanes.rowTiles(sizes.keys) * ROWS * sizes.width];
      values = new float[Lanes.rowTiles(sizes.width) * ROWS * sizes.keys];
      queries = new float[sizes.width * COLUMNS];
      scores = new float[Lanes.rowTiles(sizes.keys) * ROWS * COLUMNS];
      result = new float[Lanes.rowTiles(sizes.width) * ROWS * COLUMNS];
      queryPanel = NativeFloats.allocate(arena, (long) sizes.width * COLUMNS);
      scorePanel = NativeFloats.allocate(arena, (long) sizes.keys * COLUMNS);
    }
  }

  static final float UNSEEN = -Float.MAX_VALUE;

  private final Sizes sizes;
  private final float[] query;
  private final float[] key;
  private final float @Nullable [] value;
  private final float @Nullable [] keyMask;
  private final float scale;
  private final boolean causal;
  private final float[] output;
  private final Buffers[] buffers;

  /**
   * @param value {@code [batch, keys, hidden]}; null to write the probabilities {@code [batch,
   *     heads, queries, keys]} themselves instead of what they select
   * @param buffers one for each worker
   */
  AttentionStep(
      Sizes sizes,
      float[] query,
      float[] key,
      float @Nullable [] value,
      float @Nullable [] keyMask,
      float scale,
      boolean causal,
      float[] output,
      Buffers[] buffers) {
    this.sizes = sizes;
    this.query = query;
    this.key = key;
    this.value = value;
    this.keyMask = keyMask;
    this.scale = scale;
    this.causal = causal;
    this.output = output;
    this.buffers = buffers;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    pool.run(
        sizes.batch * sizes.heads,
        sizes.products() / LinearStep.PRODUCTS_PER_NANOSECOND,
        (worker, task) -> head(task / sizes.heads, task % sizes.heads, buffers[worker], kernels));
  }

  private void head(int image, int head, Buffers b, Kernels kernels) {
    int hidden = sizes.hidden();
    int width = sizes.width;
    int column = head * width;
    int keyRow = image * sizes.keys * hidden + column;
    for (int tile = 0; tile * ROWS < sizes.keys; tile++) {
      int rows = Math.min(ROWS, sizes.keys - tile * ROWS);
      int from = keyRow + tile * ROWS * hidden;
      Packing.rows(key, from, hidden, rows, width, b.keys, tile * ROWS * width);
    }
    for (int tile = 0; value != null && tile * ROWS < width; tile++) {
      int columns = Math.min(ROWS, width - tile * ROWS);
      int to = tile * ROWS * sizes.keys;
      Packing.transposedRows(
          value, keyRow + tile * ROWS, hidden, columns, sizes.keys, b.values, to);
    }
    for (int first = 0; first < sizes.queries; first += COLUMNS) {
      int queries = Math.min(COLUMNS, sizes.queries - first);
      int row = (image * sizes.queries + first) * hidden + column;
      // Many images have the time to let the JIT compile narrow kernels, too; one has not.
      int computed = sizes.batch > 1 ? queries : COLUMNS;
      scores(image, row, first, queries, computed, b, kernels);
      kernels.softmax(b.scores, sizes.keys, computed, b.scorePanel, b.inverse);
      if (value == null) {
        storeProbabilities((image * sizes.heads + head) * sizes.queries + first, queries, b);
      } else {
        select(row, queries, computed, b, kernels);
      }
    }
  }

  /** Sᵀ for one panel of queries, masks applied, into {@code b.scores}. */
  private void scores(
      int image, int row, int firstQuery, int queries, int computed, Buffers b, Kernels kernels) {
    int width = sizes.width;
    Packing.columns(query, row, sizes.hidden(), queries, width, scale, b.queries, 0);
    NativeFloats.copy(b.queries, 0, b.queryPanel, b.queries.length);
    Arrays.fill(b.scores, 0f);
    for (int tile = 0; tile * ROWS < sizes.keys; tile++) {
      kernels.multiplyAdd(
          b.keys,
          tile * ROWS * width,
          b.queryPanel,
          width,
          b.scores,
          tile * ROWS * COLUMNS,
          COLUMNS,
          computed);
    }
    float[] mask = keyMask;
    for (int k = 0; mask != null && k < sizes.keys; k++) {
      if (mask[image * sizes.keys + k] == 0) {
        Arrays.fill(b.scores, k * COLUMNS, (k + 1) * COLUMNS, UNSEEN);
      }
    }
    for (int k = firstQuery + 1; causal && k < sizes.keys; k++) {
      // Key k is unseen by the queries before it.
      int unseen = Math.min(COLUMNS, k - firstQuery);
      Arrays.fill(b.scores, k * COLUMNS, k * COLUMNS + unseen, UNSEEN);
    }
  }

  /** Oᵀ = Vᵀ·Sᵀ for one panel of queries, divided by the sums and turned into rows. */
  private void select(int row, int queries, int computed, Buffers b, Kernels kernels) {
    Arrays.fill(b.result, 0f);
    for (int tile = 0; tile * ROWS < sizes.width; tile++) {
      kernels.multiplyAdd(
          b.values,
          tile * ROWS * sizes.keys,
          b.scorePanel,
          sizes.keys,
          b.result,
          tile * ROWS * COLUMNS,
          COLUMNS,
          computed);
    }
    for (int q = 0; q < queries; q++) {
      int to = row + q * sizes.hidden();
      float inverse = b.inverse[q];
      for (int d = 0; d < sizes.width; d++) {
        output[to + d] = b.result[d * COLUMNS + q] * inverse;
      }
    }
  }

  private void storeProbabilities(int row, int queries, Buffers b) {
    NativeFloats.read(b.scorePanel, b.scores, 0, sizes.keys * COLUMNS);
    for (int q = 0; q < queries; q++) {
      for (int k = 0; k < sizes.keys; k++) {
        output[(row + q) * sizes.keys + k] = b.scores[k * COLUMNS + q] * b.inverse[q];
      }
    }
  }
}
