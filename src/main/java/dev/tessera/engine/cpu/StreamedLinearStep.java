package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.graph.Activation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Linear layers with the same input, whose weights are read where the checkpoint has them: for the
 * first run of a graph of few rows. Packing all weights ahead, as {@link LinearStep} wants them,
 * writes as much new memory as the checkpoint has, which takes longer than one image does.
 *
 * <p>Computes {@code Yᵀ = W·Xᵀ}. The rows of W are the left-hand side, packed a block at a time on
 * their way through the cache; Xᵀ is the right-hand side, packed once; tiles of Yᵀ are turned round
 * as they are written. Every element is the sum that {@link LinearStep} computes, in the same order
 * of k and from the same start, so both give the same bits.
 */
final class StreamedLinearStep implements Step {
  /**
   * One layer.
   *
   * @param bias {@code [out]}, scaled
   * @param residual {@code [rows, out]} or null; may be the output's own array
   * @param output {@code [rows, out]}
   */
  record Layer(
      StoredWeights weights,
      float[] bias,
      Activation activation,
      float @Nullable [] residual,
      float[] output) {
    Layer(
        StoredWeights weights, Activation activation, float @Nullable [] residual, float[] output) {
      this(weights, weights.paddedBias(weights.out()), activation, residual, output);
    }

    int out() {
      return bias.length;
    }
  }

  /** What one worker needs; steps share it. */
  static final class Buffers {
    private final float[] weights;
    private final float[] packed;
    private final float[] tiles = new float[BLOCK * COLUMNS];

    /**
     * @param depth input features, at most
     */
    Buffers(int depth) {
      weights = new float[BLOCK * depth];
      packed = new float[BLOCK * depth];
    }
  }

  private record Block(Layer layer, int first) {}

  /** Output features of a task: with 768 input features, 74 kB of weights. */
  private static final int BLOCK = 4 * ROWS;

  /** Steps of k between two visits of a tile; as {@link LinearStep}'s. */
  private static final int DEPTH = 768;

  private final PackedMatrix input;
  private final Refill refill;
  private final List<Block> blocks = new ArrayList<>();
  private final Buffers[] buffers;
  private final long nanoseconds;

  /**
   * @param input room for Xᵀ: its columns are the rows of the input
   * @param refill packs it
   * @param buffers one for each worker
   */
  StreamedLinearStep(PackedMatrix input, Refill refill, List<Layer> layers, Buffers[] buffers) {
    this.input = input;
    this.refill = refill;
    this.buffers = buffers;
    long products = 0;
    for (Layer layer : layers) {
      for (int first = 0; first < layer.out(); first += BLOCK) {
        blocks.add(new Block(layer, first));
      }
      products += (long) layer.out() * input.in() * input.out();
    }
    this.nanoseconds = products / LinearStep.PRODUCTS_PER_NANOSECOND;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    refill.run(pool, input);
    pool.run(
        blocks.size(),
        nanoseconds,
        (worker, block) ->
            multiply(blocks.get(block).layer, blocks.get(block).first, buffers[worker], kernels));
  }

  private void multiply(Layer layer, int first, Buffers b, Kernels kernels) {
    int in = input.in();
    int count = Math.min(BLOCK, layer.out() - first);
    load(layer, first, count, b);
    for (int panel = 0; panel < input.panels(); panel++) {
      int columns = Math.min(COLUMNS, input.out() - panel * COLUMNS);
      begin(layer, first, count, panel * COLUMNS, columns, b.tiles);
      for (int k = 0; k < in; k += DEPTH) {
        int steps = Math.min(DEPTH, in - k);
        for (int row = 0; row < count; row += ROWS) {
          int a = row * in + k * ROWS;
          kernels.multiplyAdd(
              b.packed, a, input.panel(panel, k), steps, b.tiles, row * COLUMNS, COLUMNS);
        }
      }
      kernels.activate(layer.activation, b.tiles, 0, count * COLUMNS);
      store(layer, first, count, panel * COLUMNS, columns, b.tiles);
    }
  }

  /** Packs {@code count} rows of the weights. */
  private void load(Layer layer, int first, int count, Buffers b) {
    int in = input.in();
    layer.weights.copyRows(first, count, b.weights);
    for (int row = 0; row < count; row += ROWS) {
      int rows = Math.min(ROWS, count - row);
      Packing.rows(b.weights, row * in, in, rows, in, b.packed, row * in);
    }
  }

  /** Tiles start as residual plus bias, as {@link LinearStep}'s do. */
  private static void begin(
      Layer layer, int first, int count, int firstColumn, int columns, float[] tiles) {
    for (int row = 0; row < count; row++) {
      float bias = layer.bias[first + row];
      for (int column = 0; column < COLUMNS; column++) {
        tiles[row * COLUMNS + column] = bias;
      }
    }
    float[] residual = layer.residual;
    for (int column = 0; residual != null && column < columns; column++) {
      int from = (firstColumn + column) * layer.out() + first;
      for (int row = 0; row < count; row++) {
        tiles[row * COLUMNS + column] += residual[from + row];
      }
    }
  }

  /** Turns the columns of tiles into rows of the output. */
  private static void store(
      Layer layer, int first, int count, int firstColumn, int columns, float[] tiles) {
    for (int column = 0; column < columns; column++) {
      int to = (firstColumn + column) * layer.out() + first;
      for (int row = 0; row < count; row++) {
        layer.output[to + row] = tiles[row * COLUMNS + column];
      }
    }
  }
}
