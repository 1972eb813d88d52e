package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Matrix products {@code C = f(A·B + bias) + residual}, C {@code [m, n]}, A {@code [m, k]}, B
 * {@code [k, n]}.
 *
 * <p>A and B may be stored either way round: {@code A(i, d)} is {@code a[i·aRow + d·aDepth]} and
 * {@code B(d, j)} is {@code b[d·bDepth + j·bColumn]}. With x {@code [m, k]} and a layer's weights w
 * {@code [n, k]} a linear layer is (x, k, 1, w, 1, k), the gradient of its input dy·w is (dy, n, 1,
 * w, k, 1) with n and k exchanged, and that of its weights dyᵀ·x is (dy, 1, n, x, k, 1) with m as
 * the depth.
 *
 * <p>Blocks hang over the border of C. There the last row and the last column are computed and
 * stored again, the same values to the same places, rather than left out: TornadoVM 5.2 cannot
 * compile a comparison that it finds, after unrolling, to be always false, as {@code top + 2 < m}
 * is for two rows.
 */
public final class Gemm {
  /** Added to an activation's number: the product starts from {@code bias [n]}. */
  public static final int BIAS = 16;

  /** Added to an activation's number: {@code residual [m, n]} is added last. */
  public static final int RESIDUAL = 32;

  /** Rows and columns of C that a work-item of {@link #rows} computes. */
  public static final int BLOCK = 4;

  /** Rows and columns of C that a group of {@link #tiled} computes. */
  public static final int TILE = 64;

  /** Work-items of {@link #tiled} in each direction; each computes a 4 by 4 part of C. */
  public static final int SIDE = 16;

  private static final int DEPTH = 16;
  private static final int PART = TILE / SIDE;
  private static final int STAGED = TILE * DEPTH / (SIDE * SIDE);

  private Gemm() {}

  /** Work-items of {@link #rows}. */
  public static int blocks(int m, int n) {
    return Math.multiplyExact(Math.ceilDiv(m, BLOCK), Math.ceilDiv(n, BLOCK));
  }

  /**
   * Without local memory: each of {@link #blocks} work-items sums a {@link #BLOCK} by {@link
   * #BLOCK} block of C in registers.
   *
   * @param epilogue an activation, plus {@link #BIAS} and {@link #RESIDUAL} where they are used;
   *     arrays that are not used may be any
   */
  public static void rows(
      KernelContext context,
      FloatArray a,
      int aRow,
      int aDepth,
      FloatArray b,
      int bDepth,
      int bColumn,
      FloatArray bias,
      FloatArray residual,
      FloatArray c,
      int m,
      int n,
      int k,
      int epilogue) {
    int across = (n + BLOCK - 1) / BLOCK;
    int block = context.globalIdx;
    int top = block / across * BLOCK;
    int left = block % across * BLOCK;
    if (top < m) {
      float[] sums = new float[BLOCK * BLOCK];
      for (int i = 0; i < BLOCK * BLOCK; i++) {
        sums[i] = 0f;
      }
      for (int d = 0; d < k; d++) {
        for (int i = 0; i < BLOCK; i++) {
          float factor = a.get(TornadoMath.min(top + i, m - 1) * aRow + d * aDepth);
          for (int j = 0; j < BLOCK; j++) {
            sums[i * BLOCK + j] +=
                factor * b.get(d * bDepth + TornadoMath.min(left + j, n - 1) * bColumn);
          }
        }
      }
      for (int i = 0; i < BLOCK; i++) {
        for (int j = 0; j < BLOCK; j++) {
          int column = TornadoMath.min(left + j, n - 1);
          int at = TornadoMath.min(top + i, m - 1) * n + column;
          c.set(at, finish(sums[i * BLOCK + j], column, at, bias, residual, epilogue));
        }
      }
    }
  }

  /**
   * With local memory: groups of {@link #SIDE} by {@link #SIDE} work-items, one group for each
   * {@link #TILE} by {@link #TILE} tile of C, columns of tiles along x. A tile of A and one of B,
   * 16 deep, are staged in local memory; each work-item sums 16 elements of C in registers.
   *
   * @param epilogue as for {@link #rows}
   */
  public static void tiled(
      KernelContext context,
      FloatArray a,
      int aRow,
      int aDepth,
      FloatArray b,
      int bDepth,
      int bColumn,
      FloatArray bias,
      FloatArray residual,
      FloatArray c,
      int m,
      int n,
      int k,
      int epilogue) {
    float[] aTile = context.allocateFloatLocalArray(TILE * DEPTH);
    float[] bTile = context.allocateFloatLocalArray(TILE * DEPTH);
    int x = context.localIdx;
    int y = context.localIdy;
    int item = y * SIDE + x;
    int top = context.groupIdy * TILE;
    int left = context.groupIdx * TILE;
    float[] sums = new float[PART * PART];
    for (int i = 0; i < PART * PART; i++) {
      sums[i] = 0f;
    }
    float[] aStaged = new float[STAGED];
    float[] bStaged = new float[STAGED];
    for (int start = 0; start < k; start += DEPTH) {
      // All reads before all writes, so that the device can have them under way together.
      for (int s = 0; s < STAGED; s++) {
        int at = item + s * SIDE * SIDE;
        // Neighbouring work-items read neighbouring addresses, whichever way a matrix is stored.
        int aLine = aDepth == 1 ? at / DEPTH : at % TILE;
        int aDeep = aDepth == 1 ? at % DEPTH : at / TILE;
        int bLine = bDepth == 1 ? at / DEPTH : at % TILE;
        int bDeep = bDepth == 1 ? at % DEPTH : at / TILE;
        int aFrom = TornadoMath.min(top + aLine, m - 1) * aRow;
        int bFrom = TornadoMath.min(left + bLine, n - 1) * bColumn;
        aStaged[s] = 0f;
        bStaged[s] = 0f;
        if (start + aDeep < k) {
          aStaged[s] = a.get(aFrom + (start + aDeep) * aDepth);
        }
        if (start + bDeep < k) {
          bStaged[s] = b.get(bFrom + (start + bDeep) * bDepth);
        }
      }
      for (int s = 0; s < STAGED; s++) {
        int at = item + s * SIDE * SIDE;
        int aLine = aDepth == 1 ? at / DEPTH : at % TILE;
        int aDeep = aDepth == 1 ? at % DEPTH : at / TILE;
        int bLine = bDepth == 1 ? at / DEPTH : at % TILE;
        int bDeep = bDepth == 1 ? at % DEPTH : at / TILE;
        aTile[aDeep * TILE + aLine] = aStaged[s];
        bTile[bDeep * TILE + bLine] = bStaged[s];
      }
      context.localBarrier();
      for (int d = 0; d < DEPTH; d++) {
        for (int i = 0; i < PART; i++) {
          float factor = aTile[d * TILE + y + i * SIDE];
          for (int j = 0; j < PART; j++) {
            sums[i * PART + j] += factor * bTile[d * TILE + x + j * SIDE];
          }
        }
      }
      context.localBarrier();
    }
    for (int i = 0; i < PART; i++) {
      for (int j = 0; j < PART; j++) {
        int column = TornadoMath.min(left + x + j * SIDE, n - 1);
        int at = TornadoMath.min(top + y + i * SIDE, m - 1) * n + column;
        c.set(at, finish(sums[i * PART + j], column, at, bias, residual, epilogue));
      }
    }
  }

  /**
   * The end of a product that a library has left in c: {@code c = f(c + bias) + residual}; one
   * work-item for each of {@code m·n} elements.
   *
   * @param epilogue as for {@link #rows}
   */
  public static void complete(
      KernelContext context,
      FloatArray c,
      FloatArray bias,
      FloatArray residual,
      int m,
      int n,
      int epilogue) {
    int i = context.globalIdx;
    if (i < m * n) {
      c.set(i, finish(c.get(i), i % n, i, bias, residual, epilogue));
    }
  }

  static float finish(
      float sum, int column, int at, FloatArray bias, FloatArray residual, int epilogue) {
    float value = sum;
    if ((epilogue & BIAS) != 0) {
      value += bias.get(column);
    }
    value = Activations.apply(epilogue & 15, value);
    if ((epilogue & RESIDUAL) != 0) {
      value += residual.get(at);
    }
    return value;
  }
}
