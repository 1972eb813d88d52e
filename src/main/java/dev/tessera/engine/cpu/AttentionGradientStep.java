package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.engine.cpu.AttentionStep.Sizes;
import dev.tessera.engine.cpu.VectorGradients.SoftmaxRows;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of attention, one head of one image a task.
 *
 * <p>Two passes compute scores and probabilities again, each in the orientation in which its
 * results are the packed right-hand sides of the products that follow. The first goes over panels
 * of queries, transposed as {@link AttentionStep}, and ends in {@code dQᵀ = Kᵀ·dSᵀ}; it leaves the
 * softmax's maxima and sums to the second, which goes over panels of keys and ends in {@code dVᵀ =
 * dOᵀ·P} and {@code dKᵀ = Qᵀ·dS}. Computing seven products instead of five costs less than
 * transposing two matrices of scores would.
 */
final class AttentionGradientStep implements Step {
  /** What one worker needs; steps of the same sizes share it. */
  static final class Buffers {
    private final float[] edge;
    private final float[] leftTransposed;
    private final float[] leftGradientTransposed;
    private final float[] columns;
    private final float[] scores;
    private final float[] gradients;
    private final float[] result;
    private final SoftmaxRows rows;
    private final long panel;
    private final long gradientPanel;
    private final long probabilities;
    private final long scoreGradients;

    Buffers(Arena arena, Sizes sizes) {
      int tokens = Math.max(sizes.queries(), sizes.keys());
      int paddedTokens = Lanes.rowTiles(tokens) * ROWS;
      int paddedWidth = Lanes.rowTiles(sizes.width()) * ROWS;
      edge = new float[ROWS * sizes.width()];
      leftTransposed = new float[paddedWidth * tokens];
      leftGradientTransposed = new float[paddedWidth * tokens];
      columns = new float[sizes.width() * COLUMNS];
      scores = new float[paddedTokens * COLUMNS];
      gradients = new float[paddedTokens * COLUMNS];
      result = new float[paddedWidth * COLUMNS];
      rows = new SoftmaxRows(Lanes.panels(sizes.queries()) * COLUMNS);
      panel = NativeFloats.allocate(arena, columns.length);
      gradientPanel = NativeFloats.allocate(arena, columns.length);
      probabilities = NativeFloats.allocate(arena, (long) tokens * COLUMNS);
      scoreGradients = NativeFloats.allocate(arena, (long) tokens * COLUMNS);
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
        (worker, task) -> {
          int image = task / sizes.heads();
          int column = task % sizes.heads() * sizes.width();
          byQueries(image, column, buffers[worker], kernels);
          byKeys(image, column, buffers[worker], kernels);
        });
  }

  private void byQueries(int image, int column, Buffers b, Kernels kernels) {
    int keys = sizes.keys();
    int keyRow = image * keys * sizes.hidden() + column;
    transposed(inputs.key, keyRow, keys, b.leftTransposed);
    for (int first = 0; first < sizes.queries(); first += COLUMNS) {
      int count = Math.min(COLUMNS, sizes.queries() - first);
      int row = (image * sizes.queries() + first) * sizes.hidden() + column;
      columns(inputs.query, row, count, b.columns, b.panel);
      columns(gradient, row, count, b.columns, b.gradientPanel);
      multiplyRows(inputs.key, keyRow, keys, b.panel, b.scores, b.edge, kernels);
      multiplyRows(inputs.value, keyRow, keys, b.gradientPanel, b.gradients, b.edge, kernels);
      for (int k = 0; k < keys; k++) {
        if (hidden(image, k)) {
          Arrays.fill(b.scores, k * COLUMNS, (k + 1) * COLUMNS, UNSEEN);
        } else if (causal && k > first) {
          int unseen = Math.min(COLUMNS, k - first);
          Arrays.fill(b.scores, k * COLUMNS, k * COLUMNS + unseen, UNSEEN);
        }
      }
      VectorGradients.softmax(b.scores, scale, b.gradients, keys, b.scoreGradients, b.rows, first);
      multiply(b.leftTransposed, sizes.width(), keys, b.scoreGradients, b.result, kernels);
      store(b.result, scale, outputs.query, row, count);
    }
  }

  private void byKeys(int image, int column, Buffers b, Kernels kernels) {
    int queries = sizes.queries();
    int queryRow = image * queries * sizes.hidden() + column;
    transposed(inputs.query, queryRow, queries, b.leftTransposed);
    transposed(gradient, queryRow, queries, b.leftGradientTransposed);
    for (int first = 0; first < sizes.keys(); first += COLUMNS) {
      int count = Math.min(COLUMNS, sizes.keys() - first);
      int row = (image * sizes.keys() + first) * sizes.hidden() + column;
      columns(inputs.key, row, count, b.columns, b.panel);
      columns(inputs.value, row, count, b.columns, b.gradientPanel);
      multiplyRows(inputs.query, queryRow, queries, b.panel, b.scores, b.edge, kernels);
      multiplyRows(gradient, queryRow, queries, b.gradientPanel, b.gradients, b.edge, kernels);
      for (int k = 0; k < count; k++) {
        int seenFrom = hidden(image, first + k) ? queries : causal ? first + k : 0;
        for (int q = 0; q < Math.min(seenFrom, queries); q++) {
          b.scores[q * COLUMNS + k] = UNSEEN;
        }
      }
      VectorGradients.probabilities(
          b.scores, scale, b.gradients, queries, b.rows, b.probabilities, b.scoreGradients);
      multiply(
          b.leftGradientTransposed, sizes.width(), queries, b.probabilities, b.result, kernels);
      store(b.result, 1f, outputs.value, row, count);
      multiply(b.leftTransposed, sizes.width(), queries, b.scoreGradients, b.result, kernels);
      store(b.result, scale, outputs.key, row, count);
    }
  }

  private boolean hidden(int image, int key) {
    return keyMask != null && keyMask[image * sizes.keys() + key] == 0;
  }

  /** One head of {@code tokens} rows, transposed, as left-hand side {@code [width, tokens]}. */
  private void transposed(float[] source, int from, int tokens, float[] packed) {
    int hidden = sizes.hidden();
    for (int row = 0; row < sizes.width(); row += ROWS) {
      int count = Math.min(ROWS, sizes.width() - row);
      VectorKernels.transposedRows(source, from + row, hidden, count, tokens, packed, row * tokens);
    }
  }

  /** One head of {@code count} rows, transposed, as right-hand side {@code [width, count]}. */
  private void columns(float[] source, int from, int count, float[] packed, long panel) {
    Packing.columns(source, from, sizes.hidden(), count, sizes.width(), 1f, packed, 0);
    NativeFloats.copy(packed, 0, panel, packed.length);
  }

  /** {@code product = left·panel} with {@code rows} rows and sums of {@code depth} terms. */
  private static void multiply(
      float[] left, int rows, int depth, long panel, float[] product, Kernels kernels) {
    Arrays.fill(product, 0, Lanes.rowTiles(rows) * ROWS * COLUMNS, 0f);
    for (int row = 0; row < rows; row += ROWS) {
      kernels.multiplyAdd(left, row * depth, panel, depth, product, row * COLUMNS, COLUMNS);
    }
  }

  /** {@code product = rows·panel} with {@code tokens} rows of one head, read where they are. */
  private void multiplyRows(
      float[] source,
      int from,
      int tokens,
      long panel,
      float[] product,
      float[] edge,
      Kernels kernels) {
    int hidden = sizes.hidden();
    int width = sizes.width();
    Arrays.fill(product, 0, Lanes.rowTiles(tokens) * ROWS * COLUMNS, 0f);
    int row = 0;
    for (; row + ROWS <= tokens; row += ROWS) {
      kernels.multiplyRows(
          source, from + row * hidden, hidden, panel, width, product, row * COLUMNS, COLUMNS);
    }
    if (row < tokens) {
      Packing.rows(source, from + row * hidden, hidden, tokens - row, width, edge, 0);
      kernels.multiplyAdd(edge, 0, panel, width, product, row * COLUMNS, COLUMNS);
    }
  }

  /** A head's columns {@code [width][COLUMNS]}, scaled and turned into {@code count} rows. */
  private void store(float[] product, float scale, float[] target, int to, int count) {
    for (int token = 0; token < count; token++) {
      int at = to + token * sizes.hidden();
      for (int d = 0; d < sizes.width(); d++) {
        target[at + d] = product[d * COLUMNS + token] * scale;
      }
    }
  }
}
