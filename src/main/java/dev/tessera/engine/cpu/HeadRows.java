package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.AttentionStep.UNSEEN;
import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.engine.cpu.AttentionStep.Sizes;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One head's scores as rows {@code [queries, keys]}, and the products to and from them. Training
 * takes this way: softmax and its gradient go along the rows, and all results but the scores
 * themselves are rows of tensors as they are stored.
 *
 * @param keyMask {@code [batch, keys]}, 0 for keys that are not seen; or null
 * @param scratch one for each worker
 */
record HeadRows(
    Sizes sizes, float @Nullable [] keyMask, float scale, boolean causal, Scratch[] scratch) {
  /** One worker's room for a head; steps of the same sizes share it. */
  static final class Scratch {
    /** Scores, exponentials or probabilities, {@code stride} floats a row. */
    final float[] scores;

    /** The gradients of probabilities or scores, likewise. */
    final float[] gradients;

    /** Floats of a row. */
    final int stride;

    /** Floats of a row that are looked at: whole vectors. */
    final int vectors;

    private final float[] edge;
    private final float[] columns;
    private final float[] tile = new float[ROWS * COLUMNS];
    private final float[] left;
    private final long columnPanel;
    private final long rowPanel;

    Scratch(Arena arena, Sizes sizes) {
      stride = Lanes.panels(sizes.keys()) * COLUMNS;
      vectors = Math.ceilDiv(sizes.keys(), Lanes.WIDTH) * Lanes.WIDTH;
      scores = new float[Lanes.rowTiles(sizes.queries()) * ROWS * stride];
      gradients = new float[scores.length];
      edge = new float[ROWS * sizes.width()];
      columns = new float[sizes.width() * COLUMNS];
      left = new float[sizes.queries() * ROWS];
      columnPanel = NativeFloats.allocate(arena, columns.length);
      int tokens = Math.max(sizes.queries(), sizes.keys());
      rowPanel = NativeFloats.allocate(arena, (long) tokens * COLUMNS);
    }
  }

  /** What is done for one head of an image, whose queries and keys begin at the two rows. */
  interface Head {
    void compute(int image, int queryRow, int keyRow, Scratch scratch);
  }

  /**
   * Computes each head of each image, a task for each.
   *
   * @param passes how often the work of attention itself
   */
  void each(WorkerPool pool, int passes, Head head) {
    pool.run(
        sizes.batch() * sizes.heads(),
        passes * sizes.products() / LinearStep.PRODUCTS_PER_NANOSECOND,
        (worker, task) -> {
          int image = task / sizes.heads();
          int column = task % sizes.heads() * sizes.width();
          head.compute(
              image,
              image * sizes.queries() * sizes.hidden() + column,
              image * sizes.keys() * sizes.hidden() + column,
              scratch[worker]);
        });
  }

  /** {@code scores = rows·columnsᵀ}, from queries and keys or what has their shapes. */
  void scores(
      float[] rows, int row, float[] keys, int keyRow, float[] scores, Scratch s, Kernels kernels) {
    Arrays.fill(scores, 0f);
    for (int first = 0; first < sizes.keys(); first += COLUMNS) {
      int count = Math.min(COLUMNS, sizes.keys() - first);
      int from = keyRow + first * sizes.hidden();
      Packing.columns(keys, from, sizes.hidden(), count, sizes.width(), 1f, s.columns, 0);
      NativeFloats.copy(s.columns, 0, s.columnPanel, s.columns.length);
      panel(rows, row, count, scores, first, s, kernels);
    }
  }

  /** {@code scores[·, to…] += rows·panel}. */
  private void panel(
      float[] rows, int from, int columns, float[] scores, int to, Scratch s, Kernels kernels) {
    int hidden = sizes.hidden();
    int width = sizes.width();
    int row = 0;
    for (; row + ROWS <= sizes.queries(); row += ROWS) {
      int at = from + row * hidden;
      int c = row * s.stride + to;
      kernels.multiplyRows(rows, at, hidden, s.columnPanel, width, scores, c, s.stride, columns);
    }
    if (row < sizes.queries()) {
      int count = sizes.queries() - row;
      Packing.rows(rows, from + row * hidden, hidden, count, width, s.edge, 0);
      int c = row * s.stride + to;
      kernels.multiplyAdd(s.edge, 0, s.columnPanel, width, scores, c, s.stride, columns);
    }
  }

  /** exp(scale·(score − greatest of the row)), in place, of the keys that a query sees. */
  void exponentials(int image, float[] scores, Scratch s) {
    hide(image, scores, s);
    VectorGradients.exponentials(scores, s.stride, s.vectors, sizes.queries(), scale);
  }

  /** Marks the keys that a query does not see, and the columns past the last key. */
  private void hide(int image, float[] scores, Scratch s) {
    int keys = sizes.keys();
    for (int q = 0; q < sizes.queries(); q++) {
      int row = q * s.stride;
      for (int k = 0; keyMask != null && k < keys; k++) {
        if (keyMask[image * keys + k] == 0) {
          scores[row + k] = UNSEEN;
        }
      }
      if (causal && q + 1 < keys) {
        Arrays.fill(scores, row + q + 1, row + keys, UNSEEN);
      }
      // Below what is unseen, so that a query that sees nothing shares its sight among true keys.
      Arrays.fill(scores, row + keys, row + s.vectors, Float.NEGATIVE_INFINITY);
    }
  }

  /** {@code output = scores·right}: rows of queries out of rows of keys. */
  void byQuery(
      float[] scores,
      float[] right,
      int keyRow,
      float[] output,
      int queryRow,
      Scratch s,
      Kernels kernels) {
    int hidden = sizes.hidden();
    for (int part = 0; part < sizes.width(); part += COLUMNS) {
      int width = Math.min(COLUMNS, sizes.width() - part);
      VectorKernels.copyColumns(right, keyRow + part, hidden, width, sizes.keys(), s.rowPanel);
      for (int row = 0; row < sizes.queries(); row += ROWS) {
        Arrays.fill(s.tile, 0f);
        int at = row * s.stride;
        kernels.multiplyRows(
            scores, at, s.stride, s.rowPanel, sizes.keys(), s.tile, 0, COLUMNS, width);
        store(s.tile, output, queryRow + part + row * hidden, sizes.queries() - row, width);
      }
    }
  }

  /** {@code output = scoresᵀ·right}: rows of keys out of rows of queries. */
  void byKey(
      float[] scores,
      float[] right,
      int queryRow,
      float[] output,
      int keyRow,
      Scratch s,
      Kernels kernels) {
    int hidden = sizes.hidden();
    int queries = sizes.queries();
    for (int part = 0; part < sizes.width(); part += COLUMNS) {
      int width = Math.min(COLUMNS, sizes.width() - part);
      VectorKernels.copyColumns(right, queryRow + part, hidden, width, queries, s.rowPanel);
      for (int key = 0; key < sizes.keys(); key += ROWS) {
        int count = Math.min(ROWS, sizes.keys() - key);
        VectorKernels.transposedRows(scores, key, s.stride, count, queries, s.left, 0);
        Arrays.fill(s.tile, 0f);
        kernels.multiplyAdd(s.left, 0, s.rowPanel, queries, s.tile, 0, COLUMNS, width);
        store(s.tile, output, keyRow + part + key * hidden, count, width);
      }
    }
  }

  private void store(float[] tile, float[] output, int to, int rows, int width) {
    for (int row = 0; row < Math.min(ROWS, rows); row++) {
      System.arraycopy(tile, row * COLUMNS, output, to + row * sizes.hidden(), width);
    }
  }
}
