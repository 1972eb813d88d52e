package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@link AttentionBackward} with local memory, for heads up to {@link #WIDTH} wide; parameters as
 * there.
 *
 * <p>Groups of 8 by 8 work-items, ⌈tokens/32⌉ groups along x, one row of groups for each pair along
 * y: {@link #grid}. A group has 32 tokens of its own in local memory and meets the others in blocks
 * of 16, whose products with its own make a tile of scores. A work-item computes 4 by 2 scores, and
 * of the gradients the columns of 4 rows that are 8 apart.
 *
 * <p>What hangs over a border is computed from the last token or column once more, and stored
 * again, the same values to the same places (see {@link Gemm}); as a summand it counts nothing.
 *
 * <p>Of a block, all is read before all is written to local memory, so that the device can have the
 * reads under way together.
 *
 * <p>Each kernel is one method, since TornadoVM 5.2 computes wrong addresses where a method that is
 * called gets local memory.
 */
public final class TiledAttentionBackward {
  /** The widest head: 29 KiB of local memory, of which every device has 32. */
  public static final int WIDTH = 64;

  /** Tokens of a group. */
  private static final int ROWS = 32;

  /** Work-items of a group in each direction. */
  private static final int SIDE = 8;

  private static final int BLOCK = 16;
  private static final int ITEMS = SIDE * SIDE;

  /** Rows and columns of scores of a work-item. */
  private static final int DOWN = ROWS / SIDE;

  private static final int ACROSS = BLOCK / SIDE;

  /** From one row of scores to the next in local memory; odd, so that rows are in other banks. */
  private static final int SCORES = BLOCK + 1;

  private TiledAttentionBackward() {}

  /** For groups that have {@code tokens} queries or keys of each pair among them. */
  public static WorkerGrid grid(int tokens, int pairs) {
    return Grids.tiles(Math.ceilDiv(tokens, ROWS), pairs, SIDE, SIDE);
  }

  /** See {@link AttentionBackward#statistics}; the tokens of a group are queries. */
  public static void tiledStatistics(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray statistics,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int line = width + 1;
    float[] queryTile = context.allocateFloatLocalArray(ROWS * line);
    float[] gradientTile = context.allocateFloatLocalArray(ROWS * line);
    float[] keyTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] valueTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] shared = context.allocateFloatLocalArray(ROWS * SIDE);
    float[] others = context.allocateFloatLocalArray(ROWS * SIDE);
    float[] present = context.allocateFloatLocalArray(BLOCK);
    int x = context.localIdx;
    int y = context.localIdy;
    int item = y * SIDE + x;
    int pair = TornadoMath.min(context.groupIdy, batch * heads - 1);
    int image = pair / heads;
    int head = pair % heads;
    int top = context.groupIdx * ROWS;
    for (int i = item; i < ROWS * width; i += ITEMS) {
      int token = image * queries + TornadoMath.min(top + i / width, queries - 1);
      int from = (token * heads + head) * width + i % width;
      queryTile[i / width * line + i % width] = q.get(from);
      gradientTile[i / width * line + i % width] = dy.get(from);
    }
    int staged = (BLOCK * width + ITEMS - 1) / ITEMS;
    float[] first = new float[staged];
    float[] second = new float[staged];
    float[] scores = new float[DOWN * ACROSS];
    float[] gradients = new float[DOWN * ACROSS];
    float[] max = new float[DOWN];
    float[] sum = new float[DOWN];
    float[] products = new float[DOWN];
    for (int i = 0; i < DOWN; i++) {
      max[i] = Attention.LOWEST;
      sum[i] = 0f;
      products[i] = 0f;
    }
    for (int start = 0; start < keys; start += BLOCK) {
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        int token = image * keys + TornadoMath.min(start + i / width, keys - 1);
        int from = (token * heads + head) * width + i % width;
        first[s] = k.get(from);
      }
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        keyTile[i / width * line + i % width] = first[s];
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * ACROSS; i++) {
        scores[i] = 0f;
      }
      for (int d = 0; d < width; d++) {
        for (int i = 0; i < DOWN; i++) {
          int row = (y + i * SIDE) * line + d;
          float scoreFactor = queryTile[row];
          for (int j = 0; j < ACROSS; j++) {
            int column = (x + j * SIDE) * line + d;
            scores[i * ACROSS + j] += scoreFactor * keyTile[column];
          }
        }
      }
      for (int i = 0; i < DOWN; i++) {
        int query = TornadoMath.min(top + y + i * SIDE, queries - 1);
        for (int j = 0; j < ACROSS; j++) {
          int key = TornadoMath.min(start + x + j * SIDE, keys - 1);
          float score = Attention.UNSEEN;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = scores[i * ACROSS + j] * scale;
          }
          max[i] = TornadoMath.max(max[i], score);
        }
      }
      context.localBarrier();
    }
    // The work-items of a row tell each other.
    for (int i = 0; i < DOWN; i++) {
      shared[(y + i * SIDE) * SIDE + x] = max[i];
    }
    context.localBarrier();
    for (int i = 0; i < DOWN; i++) {
      for (int j = 0; j < SIDE; j++) {
        max[i] = TornadoMath.max(max[i], shared[(y + i * SIDE) * SIDE + j]);
      }
    }
    for (int start = 0; start < keys; start += BLOCK) {
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        int token = image * keys + TornadoMath.min(start + i / width, keys - 1);
        int from = (token * heads + head) * width + i % width;
        first[s] = k.get(from);
        second[s] = v.get(from);
      }
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        keyTile[i / width * line + i % width] = first[s];
        valueTile[i / width * line + i % width] = second[s];
      }
      for (int i = item; i < BLOCK; i += ITEMS) {
        float is = 1f;
        if (start + i >= keys) {
          is = 0f;
        }
        present[i] = is;
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * ACROSS; i++) {
        scores[i] = 0f;
        gradients[i] = 0f;
      }
      for (int d = 0; d < width; d++) {
        for (int i = 0; i < DOWN; i++) {
          int row = (y + i * SIDE) * line + d;
          float scoreFactor = queryTile[row];
          float gradientFactor = gradientTile[row];
          for (int j = 0; j < ACROSS; j++) {
            int column = (x + j * SIDE) * line + d;
            scores[i * ACROSS + j] += scoreFactor * keyTile[column];
            gradients[i * ACROSS + j] += gradientFactor * valueTile[column];
          }
        }
      }
      for (int i = 0; i < DOWN; i++) {
        int query = TornadoMath.min(top + y + i * SIDE, queries - 1);
        for (int j = 0; j < ACROSS; j++) {
          int key = TornadoMath.min(start + x + j * SIDE, keys - 1);
          float score = Attention.UNSEEN;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = scores[i * ACROSS + j] * scale;
          }
          float weight = TornadoMath.exp(score - max[i]) * present[x + j * SIDE];
          sum[i] += weight;
          products[i] += weight * gradients[i * ACROSS + j];
        }
      }
      context.localBarrier();
    }
    for (int i = 0; i < DOWN; i++) {
      shared[(y + i * SIDE) * SIDE + x] = sum[i];
      others[(y + i * SIDE) * SIDE + x] = products[i];
    }
    context.localBarrier();
    for (int i = 0; i < DOWN; i++) {
      float total = 0f;
      float totalProducts = 0f;
      for (int j = 0; j < SIDE; j++) {
        total += shared[(y + i * SIDE) * SIDE + j];
        totalProducts += others[(y + i * SIDE) * SIDE + j];
      }
      int row = 3 * (pair * queries + TornadoMath.min(top + y + i * SIDE, queries - 1));
      statistics.set(row, max[i]);
      statistics.set(row + 1, 1f / total);
      statistics.set(row + 2, totalProducts / total);
    }
  }

  /** See {@link AttentionBackward#queries}; the tokens of a group are queries. */
  public static void tiledQueries(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray statistics,
      FloatArray dq,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int line = width + 1;
    int columns = (width + SIDE - 1) / SIDE;
    float[] queryTile = context.allocateFloatLocalArray(ROWS * line);
    float[] gradientTile = context.allocateFloatLocalArray(ROWS * line);
    float[] keyTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] valueTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] factors = context.allocateFloatLocalArray(ROWS * SCORES);
    float[] present = context.allocateFloatLocalArray(BLOCK);
    int x = context.localIdx;
    int y = context.localIdy;
    int item = y * SIDE + x;
    int pair = TornadoMath.min(context.groupIdy, batch * heads - 1);
    int image = pair / heads;
    int head = pair % heads;
    int top = context.groupIdx * ROWS;
    for (int i = item; i < ROWS * width; i += ITEMS) {
      int token = image * queries + TornadoMath.min(top + i / width, queries - 1);
      int from = (token * heads + head) * width + i % width;
      queryTile[i / width * line + i % width] = q.get(from);
      gradientTile[i / width * line + i % width] = dy.get(from);
    }
    int staged = (BLOCK * width + ITEMS - 1) / ITEMS;
    float[] first = new float[staged];
    float[] second = new float[staged];
    float[] scores = new float[DOWN * ACROSS];
    float[] gradients = new float[DOWN * ACROSS];
    float[] part = new float[DOWN * columns];
    float[] sums = new float[DOWN * columns];
    for (int i = 0; i < DOWN * columns; i++) {
      sums[i] = 0f;
    }
    for (int start = 0; start < keys; start += BLOCK) {
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        int token = image * keys + TornadoMath.min(start + i / width, keys - 1);
        int from = (token * heads + head) * width + i % width;
        first[s] = k.get(from);
        second[s] = v.get(from);
      }
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        keyTile[i / width * line + i % width] = first[s];
        valueTile[i / width * line + i % width] = second[s];
      }
      for (int i = item; i < BLOCK; i += ITEMS) {
        float is = 1f;
        if (start + i >= keys) {
          is = 0f;
        }
        present[i] = is;
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * ACROSS; i++) {
        scores[i] = 0f;
        gradients[i] = 0f;
      }
      for (int d = 0; d < width; d++) {
        for (int i = 0; i < DOWN; i++) {
          int row = (y + i * SIDE) * line + d;
          float scoreFactor = queryTile[row];
          float gradientFactor = gradientTile[row];
          for (int j = 0; j < ACROSS; j++) {
            int column = (x + j * SIDE) * line + d;
            scores[i * ACROSS + j] += scoreFactor * keyTile[column];
            gradients[i * ACROSS + j] += gradientFactor * valueTile[column];
          }
        }
      }
      for (int i = 0; i < DOWN; i++) {
        int query = TornadoMath.min(top + y + i * SIDE, queries - 1);
        int row = 3 * (pair * queries + query);
        for (int j = 0; j < ACROSS; j++) {
          int key = TornadoMath.min(start + x + j * SIDE, keys - 1);
          float factor = 0f;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            float score = scores[i * ACROSS + j] * scale;
            float probability =
                TornadoMath.exp(score - statistics.get(row)) * statistics.get(row + 1);
            float difference = gradients[i * ACROSS + j] - statistics.get(row + 2);
            factor = probability * difference * scale * present[x + j * SIDE];
          }
          factors[(y + i * SIDE) * SCORES + x + j * SIDE] = factor;
        }
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * columns; i++) {
        part[i] = 0f;
      }
      for (int c = 0; c < BLOCK; c++) {
        for (int i = 0; i < DOWN; i++) {
          float factor = factors[(y + i * SIDE) * SCORES + c];
          for (int j = 0; j < columns; j++) {
            int column = TornadoMath.min(x + j * SIDE, width - 1);
            part[i * columns + j] += factor * keyTile[c * line + column];
          }
        }
      }
      for (int i = 0; i < DOWN * columns; i++) {
        sums[i] += part[i];
      }
      context.localBarrier();
    }
    for (int i = 0; i < DOWN; i++) {
      int token = image * queries + TornadoMath.min(top + y + i * SIDE, queries - 1);
      for (int j = 0; j < columns; j++) {
        int column = TornadoMath.min(x + j * SIDE, width - 1);
        dq.set((token * heads + head) * width + column, sums[i * columns + j]);
      }
    }
  }

  /** See {@link AttentionBackward#keysAndValues}; the tokens of a group are keys. */
  public static void tiledKeysAndValues(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray statistics,
      FloatArray dk,
      FloatArray dv,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int line = width + 1;
    int columns = (width + SIDE - 1) / SIDE;
    float[] keyTile = context.allocateFloatLocalArray(ROWS * line);
    float[] valueTile = context.allocateFloatLocalArray(ROWS * line);
    float[] queryTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] gradientTile = context.allocateFloatLocalArray(BLOCK * line);
    float[] probabilities = context.allocateFloatLocalArray(ROWS * SCORES);
    float[] factors = context.allocateFloatLocalArray(ROWS * SCORES);
    float[] present = context.allocateFloatLocalArray(BLOCK);
    int x = context.localIdx;
    int y = context.localIdy;
    int item = y * SIDE + x;
    int pair = TornadoMath.min(context.groupIdy, batch * heads - 1);
    int image = pair / heads;
    int head = pair % heads;
    int top = context.groupIdx * ROWS;
    for (int i = item; i < ROWS * width; i += ITEMS) {
      int token = image * keys + TornadoMath.min(top + i / width, keys - 1);
      int from = (token * heads + head) * width + i % width;
      keyTile[i / width * line + i % width] = k.get(from);
      valueTile[i / width * line + i % width] = v.get(from);
    }
    int staged = (BLOCK * width + ITEMS - 1) / ITEMS;
    float[] first = new float[staged];
    float[] second = new float[staged];
    float[] scores = new float[DOWN * ACROSS];
    float[] gradients = new float[DOWN * ACROSS];
    float[] part = new float[DOWN * columns];
    float[] keySums = new float[DOWN * columns];
    float[] valueSums = new float[DOWN * columns];
    for (int i = 0; i < DOWN * columns; i++) {
      keySums[i] = 0f;
      valueSums[i] = 0f;
    }
    for (int start = 0; start < queries; start += BLOCK) {
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        int token = image * queries + TornadoMath.min(start + i / width, queries - 1);
        int from = (token * heads + head) * width + i % width;
        first[s] = q.get(from);
        second[s] = dy.get(from);
      }
      for (int s = 0; s < staged; s++) {
        int i = TornadoMath.min(item + s * ITEMS, BLOCK * width - 1);
        queryTile[i / width * line + i % width] = first[s];
        gradientTile[i / width * line + i % width] = second[s];
      }
      for (int i = item; i < BLOCK; i += ITEMS) {
        float is = 1f;
        if (start + i >= queries) {
          is = 0f;
        }
        present[i] = is;
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * ACROSS; i++) {
        scores[i] = 0f;
        gradients[i] = 0f;
      }
      for (int d = 0; d < width; d++) {
        for (int i = 0; i < DOWN; i++) {
          int row = (y + i * SIDE) * line + d;
          float scoreFactor = keyTile[row];
          float gradientFactor = valueTile[row];
          for (int j = 0; j < ACROSS; j++) {
            int column = (x + j * SIDE) * line + d;
            scores[i * ACROSS + j] += scoreFactor * queryTile[column];
            gradients[i * ACROSS + j] += gradientFactor * gradientTile[column];
          }
        }
      }
      for (int i = 0; i < DOWN; i++) {
        int key = TornadoMath.min(top + y + i * SIDE, keys - 1);
        for (int j = 0; j < ACROSS; j++) {
          int query = TornadoMath.min(start + x + j * SIDE, queries - 1);
          int row = 3 * (pair * queries + query);
          float score = Attention.UNSEEN;
          float passed = 0f;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = scores[i * ACROSS + j] * scale;
            passed = scale;
          }
          float probability = TornadoMath.exp(score - statistics.get(row));
          probability = probability * statistics.get(row + 1) * present[x + j * SIDE];
          float difference = gradients[i * ACROSS + j] - statistics.get(row + 2);
          int at = (y + i * SIDE) * SCORES + x + j * SIDE;
          probabilities[at] = probability;
          factors[at] = probability * difference * passed;
        }
      }
      context.localBarrier();
      for (int i = 0; i < DOWN * columns; i++) {
        part[i] = 0f;
      }
      for (int c = 0; c < BLOCK; c++) {
        for (int i = 0; i < DOWN; i++) {
          float factor = factors[(y + i * SIDE) * SCORES + c];
          for (int j = 0; j < columns; j++) {
            int column = TornadoMath.min(x + j * SIDE, width - 1);
            part[i * columns + j] += factor * queryTile[c * line + column];
          }
        }
      }
      for (int i = 0; i < DOWN * columns; i++) {
        keySums[i] += part[i];
      }
      for (int i = 0; i < DOWN * columns; i++) {
        part[i] = 0f;
      }
      for (int c = 0; c < BLOCK; c++) {
        for (int i = 0; i < DOWN; i++) {
          float factor = probabilities[(y + i * SIDE) * SCORES + c];
          for (int j = 0; j < columns; j++) {
            int column = TornadoMath.min(x + j * SIDE, width - 1);
            part[i * columns + j] += factor * gradientTile[c * line + column];
          }
        }
      }
      for (int i = 0; i < DOWN * columns; i++) {
        valueSums[i] += part[i];
      }
      context.localBarrier();
    }
    for (int i = 0; i < DOWN; i++) {
      int token = image * keys + TornadoMath.min(top + y + i * SIDE, keys - 1);
      for (int j = 0; j < columns; j++) {
        int column = TornadoMath.min(x + j * SIDE, width - 1);
        dk.set((token * heads + head) * width + column, keySums[i * columns + j]);
        dv.set((token * heads + head) * width + column, valueSums[i * columns + j]);
      }
    }
  }
}
