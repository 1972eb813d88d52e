package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.engine.cpu.AttentionStep.Sizes;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of attention, one head of one image a task.
 *
 * <p>A head's scores are computed again, {@code [queries, keys]}, and with them the gradients of
 * the probabilities, {@code dP = dO·Vᵀ}; softmax and its gradient go along the rows. What then
 * remains are products whose results are rows of the gradients as they are stored: {@code dQ =
 * dS·K}, {@code dK = dSᵀ·Q} and {@code dV = Pᵀ·dO}.
 */
final class AttentionGradientStep implements Step {
  /** What one worker needs; steps of the same sizes share it. */
  static final class Buffers {
    private final int stride;

    /** Columns of a row that are looked at: whole vectors. */
    private final int vectors;

    private final float[] edge;
    private final float[] columns;
    private final float[] scores;
    private final float[] gradients;
    private final float[] left;
    private final float[] tile = new float[ROWS * COLUMNS];
    private final long keyPanel;
    private final long valuePanel;
    private final long panel;

    Buffers(Arena arena, Sizes sizes) {
      stride = Lanes.panels(sizes.keys()) * COLUMNS;
      vectors = Math.ceilDiv(sizes.keys(), Lanes.WIDTH) * Lanes.WIDTH;
      edge = new float[ROWS * sizes.width()];
      columns = new float[sizes.width() * COLUMNS];
      scores = new float[Lanes.rowTiles(sizes.queries()) * ROWS * stride];
      gradients = new float[scores.length];
      left = new float[sizes.queries() * ROWS];
      keyPanel = NativeFloats.allocate(arena, columns.length);
      valuePanel = NativeFloats.allocate(arena, columns.length);
      int tokens = Math.max(sizes.queries(), sizes.keys());
      panel = NativeFloats.allocate(arena, (long) tokens * COLUMNS);
    }
  }

  /** Query, key and value or their gradients, {@code [batch, queries or keys, hidden]}. */
  record Projections(float[] query, float[] key, float[] value) {}

  private static final float UNSEEN = -Float.MAX_VALUE;

  private final Sizes sizes;
  private final Projections inputs;
  private final float @Nullable [] keyMask;
  private final float scale;
  private final boolean causal;
  private final float[] gradient;
  private final Projections outputs;
  private final Buffers[] buffers;

  /**
   * @param gradient of the attention's result
   * @param outputs the gradients of the inputs
   * @param buffers one for each worker
   */
  AttentionGradientStep(
      Sizes sizes,
      Projections inputs,
      float @Nullable [] keyMask,
      float scale,
      boolean causal,
      float[] gradient,
      Projections outputs,
      Buffers[] buffers) {
    this.sizes = sizes;
    this.inputs = inputs;
    this.keyMask = keyMask;
    this.scale = scale;
    this.causal = causal;
    this.gradient = gradient;
    this.outputs = outputs;
    this.buffers = buffers;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    pool.run(
        sizes.batch() * sizes.heads(),
        4 * sizes.products() / LinearStep.PRODUCTS_PER_NANOSECOND,
        (worker, task) ->
            head(
                task / sizes.heads(),
                task % sizes.heads() * sizes.width(),
                buffers[worker],
                kernels));
  }

  private void head(int image, int column, Buffers b, Kernels kernels) {
    int queries = sizes.queries();
    int keys = sizes.keys();
    int queryRow = image * queries * sizes.hidden() + column;
    int keyRow = image * keys * sizes.hidden() + column;
    Arrays.fill(b.scores, 0f);
    Arrays.fill(b.gradients, 0f);
    for (int first = 0; first < keys; first += COLUMNS) {
      int count = Math.min(COLUMNS, keys - first);
      int from = keyRow + first * sizes.hidden();
      columns(inputs.key, from, count, b.columns, b.keyPanel);
      columns(inputs.value, from, count, b.columns, b.valuePanel);
      byRows(inputs.query, queryRow, b.keyPanel, count, b.scores, first, b, kernels);
      byRows(gradient, queryRow, b.valuePanel, count, b.gradients, first, b, kernels);
    }
    hide(image, b);
    VectorGradients.exponentials(b.scores, b.stride, b.vectors, queries, scale);
    VectorGradients.softmax(b.scores, b.gradients, b.stride, b.vectors, queries, scale);
    for (int part = 0; part < sizes.width(); part += COLUMNS) {
      int width = Math.min(COLUMNS, sizes.width() - part);
      queryGradient(queryRow + part, keyRow + part, width, b, kernels);
      keyGradient(
          b.gradients,
          inputs.query,
          queryRow + part,
          outputs.key,
          keyRow + part,
          width,
          b,
          kernels);
      keyGradient(
          b.scores, gradient, queryRow + part, outputs.value, keyRow + part, width, b, kernels);
    }
  }

  /** One head of {@code count} rows, transposed, as right-hand side {@code [width, count]}. */
  private void columns(float[] source, int from, int count, float[] packed, long panel) {
    Packing.columns(source, from, sizes.hidden(), count, sizes.width(), 1f, packed, 0);
    NativeFloats.copy(packed, 0, panel, packed.length);
  }

  /** {@code product[·, to…] += rows·panel}, the rows one head's queries. */
  private void byRows(
      float[] rows,
      int from,
      long panel,
      int columns,
      float[] product,
      int to,
      Buffers b,
      Kernels kernels) {
    int hidden = sizes.hidden();
    int width = sizes.width();
    int row = 0;
    for (; row + ROWS <= sizes.queries(); row += ROWS) {
      int at = from + row * hidden;
      int c = row * b.stride + to;
      kernels.multiplyRows(rows, at, hidden, panel, width, product, c, b.stride, columns);
    }
    if (row < sizes.queries()) {
      int count = sizes.queries() - row;
      Packing.rows(rows, from + row * hidden, hidden, count, width, b.edge, 0);
      int c = row * b.stride + to;
      kernels.multiplyAdd(b.edge, 0, panel, width, product, c, b.stride, columns);
    }
  }

  /** Marks the keys that a query does not see, and the columns past the last key. */
  private void hide(int image, Buffers b) {
    for (int q = 0; q < sizes.queries(); q++) {
      int row = q * b.stride;
      for (int k = 0; keyMask != null && k < sizes.keys(); k++) {
        if (keyMask[image * sizes.keys() + k] == 0) {
          b.scores[row + k] = UNSEEN;
        }
      }
      if (causal && q + 1 < sizes.keys()) {
        Arrays.fill(b.scores, row + q + 1, row + sizes.keys(), UNSEEN);
      }
      // Below what is unseen, so that a query that sees nothing shares its sight among true keys.
      Arrays.fill(b.scores, row + sizes.keys(), row + b.vectors, Float.NEGATIVE_INFINITY);
    }
  }

  /** dQ = dS·K, {@code width} columns of it. */
  private void queryGradient(int to, int keyRow, int width, Buffers b, Kernels kernels) {
    int hidden = sizes.hidden();
    VectorKernels.copyColumns(inputs.key, keyRow, hidden, width, sizes.keys(), b.panel);
    for (int row = 0; row < sizes.queries(); row += ROWS) {
      Arrays.fill(b.tile, 0f);
      kernels.multiplyRows(
          b.gradients, row * b.stride, b.stride, b.panel, sizes.keys(), b.tile, 0, COLUMNS, width);
      store(b.tile, outputs.query, to + row * hidden, sizes.queries() - row, width);
    }
  }

  /** dSᵀ·Q or Pᵀ·dO, {@code width} columns of it. */
  private void keyGradient(
      float[] scores,
      float[] right,
      int from,
      float[] output,
      int to,
      int width,
      Buffers b,
      Kernels kernels) {
    int hidden = sizes.hidden();
    int queries = sizes.queries();
    VectorKernels.copyColumns(right, from, hidden, width, queries, b.panel);
    for (int key = 0; key < sizes.keys(); key += ROWS) {
      int count = Math.min(ROWS, sizes.keys() - key);
      VectorKernels.transposedRows(scores, key, b.stride, count, queries, b.left, 0);
      Arrays.fill(b.tile, 0f);
      kernels.multiplyAdd(b.left, 0, b.panel, queries, b.tile, 0, COLUMNS, width);
      store(b.tile, output, to + key * hidden, count, width);
    }
  }

  private void store(float[] tile, float[] output, int to, int rows, int width) {
    for (int row = 0; row < Math.min(ROWS, rows); row++) {
      System.arraycopy(tile, row * COLUMNS, output, to + row * sizes.hidden(), width);
    }
  }
}
