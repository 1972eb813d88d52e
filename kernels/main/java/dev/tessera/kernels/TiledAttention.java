package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@link Attention#rows} with local memory, for heads up to {@link #WIDTH} wide.
 *
 * <p>Groups of 8 by 8 work-items, one row of groups for each pair along y: {@link #grid}. A group
 * has {@link #rows} queries in local memory and meets the keys in blocks of 32. A work-item
 * computes 5 by 4 scores of each block, of every eighth query and key, and of the result the
 * columns of its 5 queries that are 8 apart (of wide heads, 2 by 4 and 2), so that each number that
 * it reads from local memory is a factor of several products.
 *
 * <p>What hangs over a border is computed from the last query or column once more, and stored
 * again, the same values to the same places (see {@link Gemm}); a key that hangs over has no
 * weight.
 *
 * <p>The kernel is one method, since TornadoVM 5.2 computes wrong addresses where a method that is
 * called gets local memory.
 */
public final class TiledAttention {
  /** The widest head: 27 KiB of local memory, of which every device has 32. */
  public static final int WIDTH = 128;

  /** Work-items of a group in each direction. */
  private static final int SIDE = 8;

  private static final int ITEMS = SIDE * SIDE;

  /** Keys that are in local memory at a time. */
  private static final int BLOCK = 32;

  private static final int ACROSS = BLOCK / SIDE;

  /**
   * What a work-item reads before it writes it to local memory: reads that are under way at once.
   */
  private static final int STAGED = 16;

  /** From one row of weights to the next in local memory; odd, so that rows are in other banks. */
  private static final int WEIGHTS = BLOCK + 1;

  private TiledAttention() {}

  /** Queries of a group: as many as registers and local memory hold the sums of. */
  public static int rows(int width) {
    return width <= 64 ? 5 * SIDE : 2 * SIDE;
  }

  /** For groups that have {@code queries} of each pair among them. */
  public static WorkerGrid grid(int queries, int width, int pairs) {
    return Grids.tiles(Math.ceilDiv(queries, rows(width)), pairs, SIDE, SIDE);
  }

  /** ⌈queries/{@link #rows}⌉ groups along x; parameters as for {@link Attention#rows}. */
  public static void tiled(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray y,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int rows = rows(width);
    int line = width + 1;
    int down = rows / SIDE;
    int columns = (width + SIDE - 1) / SIDE;
    float[] queryTile = context.allocateFloatLocalArray(rows * line);
    float[] tile = context.allocateFloatLocalArray(BLOCK * line); // keys, then their values
    float[] weights = context.allocateFloatLocalArray(rows * WEIGHTS);
    float[] shared = context.allocateFloatLocalArray(rows * SIDE);
    int itemX = context.localIdx;
    int itemY = context.localIdy;
    int item = itemY * SIDE + itemX;
    int pair = TornadoMath.min(context.groupIdy, batch * heads - 1);
    int image = pair / heads;
    int head = pair % heads;
    int top = context.groupIdx * rows;
    for (int i = item; i < rows * width; i += ITEMS) {
      int token = image * queries + TornadoMath.min(top + i / width, queries - 1);
      queryTile[i / width * line + i % width] =
          q.get((token * heads + head) * width + i % width) * scale;
    }
    float[] stage = new float[STAGED];
    float[] scores = new float[down * ACROSS];
    float[] sums = new float[down * columns];
    float[] max = new float[down];
    float[] sum = new float[down];
    for (int i = 0; i < down; i++) {
      max[i] = Attention.LOWEST;
      sum[i] = 0f;
    }
    for (int i = 0; i < down * columns; i++) {
      sums[i] = 0f;
    }
    // The same for the whole group, which meets at the barriers below.
    int end = flags == Attention.CAUSAL ? TornadoMath.min(top + rows, keys) : keys;
    for (int start = 0; start < end; start += BLOCK) {
      for (int from = item; from < BLOCK * width; from += STAGED * ITEMS) {
        for (int s = 0; s < STAGED; s++) {
          int i = TornadoMath.min(from + s * ITEMS, BLOCK * width - 1);
          int token = image * keys + TornadoMath.min(start + i / width, keys - 1);
          stage[s] = k.get((token * heads + head) * width + i % width);
        }
        for (int s = 0; s < STAGED; s++) {
          int i = TornadoMath.min(from + s * ITEMS, BLOCK * width - 1);
          tile[i / width * line + i % width] = stage[s];
        }
      }
      context.localBarrier();
      for (int i = 0; i < down * ACROSS; i++) {
        scores[i] = 0f;
      }
      for (int d = 0; d < width; d++) {
        for (int i = 0; i < down; i++) {
          float factor = queryTile[(itemY + i * SIDE) * line + d];
          for (int j = 0; j < ACROSS; j++) {
            scores[i * ACROSS + j] += factor * tile[(itemX + j * SIDE) * line + d];
          }
        }
      }
      for (int i = 0; i < down; i++) {
        int query = TornadoMath.min(top + itemY + i * SIDE, queries - 1);
        float largest = Attention.LOWEST;
        for (int j = 0; j < ACROSS; j++) {
          int at = start + itemX + j * SIDE;
          int key = TornadoMath.min(at, keys - 1);
          float score = Attention.UNSEEN;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = scores[i * ACROSS + j];
          }
          if (at >= keys) {
            score = Attention.LOWEST; // as a weight, 0
          }
          scores[i * ACROSS + j] = score;
          largest = TornadoMath.max(largest, score);
        }
        shared[(itemY + i * SIDE) * SIDE + itemX] = largest;
      }
      context.localBarrier();
      for (int from = item; from < BLOCK * width; from += STAGED * ITEMS) {
        for (int s = 0; s < STAGED; s++) {
          int i = TornadoMath.min(from + s * ITEMS, BLOCK * width - 1);
          int token = image * keys + TornadoMath.min(start + i / width, keys - 1);
          stage[s] = v.get((token * heads + head) * width + i % width);
        }
        for (int s = 0; s < STAGED; s++) {
          int i = TornadoMath.min(from + s * ITEMS, BLOCK * width - 1);
          tile[i / width * line + i % width] = stage[s];
        }
      }
      for (int i = 0; i < down; i++) {
        float larger = max[i];
        for (int j = 0; j < SIDE; j++) {
          larger = TornadoMath.max(larger, shared[(itemY + i * SIDE) * SIDE + j]);
        }
        float shrink = TornadoMath.exp(max[i] - larger);
        max[i] = larger;
        sum[i] = sum[i] * shrink;
        for (int j = 0; j < columns; j++) {
          sums[i * columns + j] = sums[i * columns + j] * shrink;
        }
        for (int j = 0; j < ACROSS; j++) {
          float weight = TornadoMath.exp(scores[i * ACROSS + j] - larger);
          sum[i] += weight;
          weights[(itemY + i * SIDE) * WEIGHTS + itemX + j * SIDE] = weight;
        }
      }
      context.localBarrier();
      for (int c = 0; c < BLOCK; c++) {
        for (int i = 0; i < down; i++) {
          float weight = weights[(itemY + i * SIDE) * WEIGHTS + c];
          for (int j = 0; j < columns; j++) {
            int column = TornadoMath.min(itemX + j * SIDE, width - 1);
            sums[i * columns + j] += weight * tile[c * line + column];
          }
        }
      }
      context.localBarrier();
    }
    // The work-items of a row tell each other.
    for (int i = 0; i < down; i++) {
      shared[(itemY + i * SIDE) * SIDE + itemX] = sum[i];
    }
    context.localBarrier();
    for (int i = 0; i < down; i++) {
      float total = 0f;
      for (int j = 0; j < SIDE; j++) {
        total += shared[(itemY + i * SIDE) * SIDE + j];
      }
      int token = image * queries + TornadoMath.min(top + itemY + i * SIDE, queries - 1);
      for (int j = 0; j < columns; j++) {
        int column = TornadoMath.min(itemX + j * SIDE, width - 1);
        y.set((token * heads + head) * width + column, sums[i * columns + j] / total);
      }
    }
  }
}
