package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products with the same left-hand side, such as the linear layers of query, key and value:
 * multiplies the left-hand side's rows, where they are or packed once, with every layer's panels in
 * one parallel region. The gradients of linear layers are such products, too.
 *
 * <p>A task is a block of rows times a few panels. Within it a panel's block of k stays in the
 * second-level cache while the row tiles pass over it (the order of Goto and van de Geijn, "Anatomy
 * of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008, with A and B exchanged because
 * here B, the weights, is the one packed ahead).
 */
final class LinearStep implements Step {
  /**
   * The left-hand side.
   *
   * @param array {@code [rows, depth]}, or {@code [depth, rows]} if it is transposed
   * @param sums if not null, gets the sum of each row; for a transposed one
   */
  record Left(float[] array, int rows, int depth, boolean transposed, float @Nullable [] sums) {}

  /**
   * One product of the group. A residual excludes an activation; it may be the output's own array.
   *
   * @param refill what the weights are packed from on every run; null if they never change
   */
  record Layer(
      PackedMatrix weights,
      @Nullable Refill refill,
      Activation activation,
      float @Nullable [] residual,
      float[] output) {}

  private record Block(Layer layer, int firstTile, int endTile, int firstPanel, int endPanel) {
    long products(int depth) {
      return (long) (endTile - firstTile) * ROWS * (endPanel - firstPanel) * COLUMNS * depth;
    }
  }

  /** Steps of k between two visits of a tile of C: a panel's block is about 100 kB at 512 bits. */
  private static final int DEPTH = 768;

  /** Row tiles of a block: about 260 rows, whose packed floats fill most of a 1 MB cache. */
  private static final int BLOCK_TILES = 264 / ROWS;

  /** Multiply-adds of a task, where there are enough of them: some 0.3 ms. */
  private static final long TASK_WORK = 8_000_000;

  /** Multiply-adds that are worth handing to a thread at all: some 20 µs. */
  private static final long LEAST_WORK = 500_000;

  /** What one thread does, to the order of magnitude. */
  static final int PRODUCTS_PER_NANOSECOND = 25;

  /** Steps of k of a transposed left-hand side that are packed together: some 100 kB. */
  private static final int TRANSPOSED_STEPS = 64;

  private final Left left;
  private final float[] packed;
  private final int rows;
  private final int depth;
  private final List<Layer> layers;
  private final List<Block> blocks;
  private final long nanoseconds;
  private final float[][] tiles;

  /** Whether an output is the left-hand side's own array: x + Wx, written over x. */
  private final boolean overwritten;

  /**
   * Whether the rows of the left-hand side are read where they are, in this run: as soon as there
   * is a kernel for that, which is one more for the JIT to compile.
   */
  private boolean inPlace;

  /** The sums of the rows over {@link #TRANSPOSED_STEPS} steps of k, if asked for. */
  private final float[] partialSums;

  /**
   * @param packed room for {@code rowTiles(rows)·ROWS·depth} floats, used by this step alone while
   *     it runs
   * @param tiles for each worker room for one tile
   */
  @SuppressWarnings("ReferenceEquality") // whether two values share an array
  LinearStep(Left left, float[] packed, List<Layer> layers, float[][] tiles) {
    this.left = left;
    this.packed = packed;
    this.rows = left.rows;
    this.depth = left.depth;
    this.layers = layers;
    this.overwritten = layers.stream().anyMatch(layer -> layer.output == left.array);
    this.tiles = tiles;
    this.partialSums =
        new float[left.sums == null ? 0 : Math.ceilDiv(depth, TRANSPOSED_STEPS) * rows];
    this.blocks = split(layers, rows, depth, tiles.length);
    long products = 0;
    for (Block block : blocks) {
      products += block.products(depth);
    }
    this.nanoseconds = products / PRODUCTS_PER_NANOSECOND;
  }

  private static List<Block> split(List<Layer> layers, int rows, int depth, int workers) {
    int rowTiles = Lanes.rowTiles(rows);
    List<Block> blocks = new ArrayList<>();
    long all = 0;
    for (Layer layer : layers) {
      all += (long) rows * depth * layer.weights.panels() * COLUMNS;
    }
    long work = Math.clamp(all / (8L * workers), LEAST_WORK, TASK_WORK);
    for (Layer layer : layers) {
      int panels = layer.weights.panels();
      int rowBlocks = Math.ceilDiv(rowTiles, BLOCK_TILES);
      if (rowBlocks * panels < 2 * workers) {
        // The gradient of a small layer's weights: few rows and columns, but long sums.
        rowBlocks = Math.min(rowTiles, 2 * workers);
      }
      long panelWork = (long) Math.ceilDiv(rows, rowBlocks) * depth * COLUMNS;
      int step = Math.clamp(work / panelWork, 1, panels);
      for (int block = 0; block < rowBlocks; block++) {
        int first = (int) ((long) rowTiles * block / rowBlocks);
        int end = (int) ((long) rowTiles * (block + 1) / rowBlocks);
        for (int panel = 0; panel < panels; panel += step) {
          blocks.add(new Block(layer, first, end, panel, Math.min(panels, panel + step)));
        }
      }
    }
    // Rows in order, whichever layer they are for: a worker's share is the rows that it has made.
    blocks.sort(Comparator.comparingInt(Block::firstTile));
    return blocks;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    for (Layer layer : layers) {
      if (layer.refill != null) {
        layer.refill.run(pool, layer.weights);
      }
    }
    inPlace = !left.transposed && !overwritten && kernels.vectorRows();
    pack(pool);
    pool.run(
        blocks.size(),
        nanoseconds,
        (worker, block) -> multiply(blocks.get(block), this.tiles[worker], kernels));
    if (left.sums != null) { // at last, when nothing reads any more what they may be written over
      GradientSteps.reduce(partialSums, partialSums.length / rows, 0, rows, rows, left.sums);
    }
  }

  private void pack(WorkerPool pool) {
    int tiles = Lanes.rowTiles(rows);
    if (left.transposed) {
      pool.run(
          Math.ceilDiv(depth, TRANSPOSED_STEPS),
          (long) tiles * ROWS * depth / 4,
          (worker, block) -> {
            int first = block * TRANSPOSED_STEPS;
            packTransposed(first);
            if (left.sums != null) { // of what packing has just brought into the cache
              int end = Math.min(depth, first + TRANSPOSED_STEPS);
              GradientSteps.sumRows(left.array, first, end, rows, partialSums, block * rows);
            }
          });
      return;
    }
    // In place, too, the last tile is packed if it has fewer rows than the kernel reads.
    int first = inPlace ? rows / ROWS : 0;
    pool.run(
        tiles - first,
        (long) (tiles - first) * ROWS * depth,
        (worker, task) -> {
          int row = (first + task) * ROWS;
          int count = Math.min(ROWS, rows - row);
          Packing.rows(left.array, row * depth, depth, count, depth, packed, row * depth);
        });
  }

  /** Some steps of k of every tile: a tile reads part of a cache line, its neighbours the rest. */
  private void packTransposed(int k) {
    int steps = Math.min(TRANSPOSED_STEPS, depth - k);
    for (int row = 0; row < rows; row += ROWS) {
      int count = Math.min(ROWS, rows - row);
      VectorKernels.transposedRows(
          left.array, k * rows + row, rows, count, steps, packed, row * depth + k * ROWS);
    }
  }

  private void multiply(Block block, float[] edge, Kernels kernels) {
    PackedMatrix weights = block.layer.weights;
    int fullTiles = Math.min(block.endTile, rows / ROWS);
    for (int panel = block.firstPanel; panel < block.endPanel; panel++) {
      int columns = Math.min(COLUMNS, weights.out() - panel * COLUMNS);
      boolean whole = columns == COLUMNS || (columns == 2 * WIDTH && narrow());
      int edgeTile = whole ? fullTiles : block.firstTile;
      for (int k = 0; whole && k < depth; k += DEPTH) {
        multiplyPanel(block.layer, block.firstTile, fullTiles, panel, columns, k, kernels);
      }
      for (int tile = edgeTile; tile < block.endTile; tile++) {
        multiplyEdge(block.layer, tile, panel, edge, kernels);
      }
    }
  }

  /**
   * Whether half a panel is computed by a kernel of half the width: where more than one image
   * passes, there is the time to let the JIT compile such kernels, too.
   */
  private boolean narrow() {
    return left.transposed || inPlace;
  }

  /** One block of k of one tile and the first {@code columns} of one panel. */
  private void multiply(
      int tile,
      int k,
      long b,
      int steps,
      float[] c,
      int c0,
      int stride,
      int columns,
      Kernels kernels) {
    int computed = narrow() ? columns : COLUMNS;
    if (inPlace && tile < rows / ROWS) {
      int a = tile * ROWS * depth + k;
      kernels.multiplyRows(left.array, a, depth, b, steps, c, c0, stride, computed);
    } else {
      int a = (tile * depth + k) * ROWS;
      kernels.multiplyAdd(packed, a, b, steps, c, c0, stride, computed);
    }
  }

  /** Whole tiles against one block of k of one panel, straight into the output. */
  private void multiplyPanel(
      Layer layer, int firstTile, int endTile, int panel, int columns, int k, Kernels kernels) {
    PackedMatrix weights = layer.weights;
    float[] output = layer.output;
    int out = weights.out();
    int steps = Math.min(DEPTH, depth - k);
    long b = weights.panel(panel, k);
    for (int tile = firstTile; tile < endTile; tile++) {
      int c = tile * ROWS * out + panel * COLUMNS;
      if (k == 0) {
        begin(layer, panel * COLUMNS, columns, c, kernels);
      }
      multiply(tile, k, b, steps, output, c, out, columns, kernels);
      if (k + steps == depth && layer.activation != Activation.IDENTITY) {
        for (int row = 0; row < ROWS; row++) {
          kernels.activate(layer.activation, output, c + row * out, columns);
        }
      }
    }
  }

  /** A tile starts as bias plus residual; the kernel adds the product. */
  private static void begin(Layer layer, int column, int columns, int c, Kernels kernels) {
    float[] bias = layer.weights.bias();
    float[] residual = layer.residual;
    float[] output = layer.output;
    for (int row = 0; row < ROWS; row++) {
      int at = c + row * layer.weights.out();
      if (residual == null) {
        System.arraycopy(bias, column, output, at, columns);
      } else {
        kernels.sum(residual, at, bias, column, output, at, columns);
      }
    }
  }

  /** A tile that hangs over the last row or column: computed aside, the part inside is copied. */
  private void multiplyEdge(Layer layer, int tile, int panel, float[] c, Kernels kernels) {
    PackedMatrix weights = layer.weights;
    int out = weights.out();
    int tileRows = Math.min(ROWS, rows - tile * ROWS);
    int columns = Math.min(COLUMNS, out - panel * COLUMNS);
    int first = tile * ROWS * out + panel * COLUMNS;
    for (int row = 0; row < ROWS; row++) {
      System.arraycopy(weights.bias(), panel * COLUMNS, c, row * COLUMNS, COLUMNS);
    }
    float[] residual = layer.residual;
    if (residual != null) {
      for (int row = 0; row < tileRows; row++) {
        for (int column = 0; column < columns; column++) {
          c[row * COLUMNS + column] += residual[first + row * out + column];
        }
      }
    }
    for (int k = 0; k < depth; k += DEPTH) {
      int steps = Math.min(DEPTH, depth - k);
      multiply(tile, k, weights.panel(panel, k), steps, c, 0, COLUMNS, columns, kernels);
    }
    kernels.activate(layer.activation, c, 0, tileRows * COLUMNS);
    for (int row = 0; row < tileRows; row++) {
      System.arraycopy(c, row * COLUMNS, layer.output, first + row * out, columns);
    }
  }
}
