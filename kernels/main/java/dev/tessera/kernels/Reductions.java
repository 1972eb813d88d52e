package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Sums in two stages: each kernel turns blocks of its input into one element each, and is called
 * again on its own result with one block. Without atomic additions, which OpenCL lacks for floats,
 * and therefore the same on every run.
 */
public final class Reductions {
  /** Work-items of a group in {@link #groupedSquares}; a power of two. */
  public static final int GROUP = 64;

  private Reductions() {}

  /**
   * {@code y[p, c]} is the sum of {@code x[r, c]} over the rows r of block p: {@code [rows,
   * columns]} to {@code [⌈rows/block⌉, columns]}; one work-item an element of y.
   */
  public static void sumRows(
      KernelContext context, FloatArray x, FloatArray y, int rows, int columns, int block) {
    int item = context.globalIdx;
    int parts = (rows + block - 1) / block;
    if (item < parts * columns) {
      int column = item % columns;
      int from = item / columns * block;
      int to = TornadoMath.min(from + block, rows);
      float sum = 0f;
      for (int row = from; row < to; row++) {
        sum += x.get(row * columns + column);
      }
      y.set(item, sum);
    }
  }

  /**
   * Adds the sum of {@code x[i]²} over block p of x to {@code y[p]}: {@code [n]} to {@code
   * [⌈n/block⌉]}; one work-item a block. So what is added up is the same kernel for all x of a
   * size, and few elements are left for one work-item to add.
   */
  public static void sumSquares(
      KernelContext context, FloatArray x, FloatArray y, int n, int block) {
    int item = context.globalIdx;
    int parts = (n + block - 1) / block;
    if (item < parts) {
      int from = item * block;
      int to = TornadoMath.min(from + block, n);
      float sum = 0f;
      for (int i = from; i < to; i++) {
        sum += x.get(i) * x.get(i);
      }
      y.set(item, y.get(item) + sum);
    }
  }

  /**
   * The same with a group of {@link #GROUP} work-items for each of {@code parts} sums; group p
   * takes the elements p·GROUP to (p+1)·GROUP − 1, and from there on every parts·GROUP elements.
   */
  public static void groupedSquares(
      KernelContext context, FloatArray x, FloatArray y, int n, int parts) {
    float[] shared = context.allocateFloatLocalArray(GROUP);
    int item = context.localIdx;
    float sum = 0f;
    for (int i = context.globalIdx; i < n; i += parts * GROUP) {
      sum += x.get(i) * x.get(i);
    }
    shared[item] = sum;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
      }
      context.localBarrier();
    }
    if (item == 0 && context.groupIdx < parts) {
      y.set(context.groupIdx, y.get(context.groupIdx) + shared[0]);
    }
  }

  /**
   * From sums of squares {@code [n]} the length of the vector they come from, {@code y[0]}, and the
   * factor that keeps it from passing {@code maximum}, {@code y[1] = min(1, maximum/(y[0] + 1e-6))}
   * as in {@code torch.nn.utils.clip_grad_norm_}; one work-item.
   */
  public static void clip(
      KernelContext context, FloatArray squares, FloatArray y, int n, float maximum) {
    if (context.globalIdx == 0) {
      float sum = 0f;
      for (int i = 0; i < n; i++) {
        sum += squares.get(i);
      }
      float norm = TornadoMath.sqrt(sum);
      y.set(0, norm);
      y.set(1, TornadoMath.min(1f, maximum / (norm + 1e-6f)));
    }
  }

  /** Mean over tokens: {@code [batch, tokens, hidden]} to {@code [batch, hidden]}. */
  public static void meanTokens(
      KernelContext context, FloatArray x, FloatArray y, int batch, int tokens, int hidden) {
    int item = context.globalIdx;
    if (item < batch * hidden) {
      int at = item / hidden * tokens * hidden + item % hidden;
      float sum = 0f;
      for (int token = 0; token < tokens; token++) {
        sum += x.get(at + token * hidden);
      }
      y.set(item, sum / tokens);
    }
  }

  /** The gradient of {@link #meanTokens}; one work-item an element of dx. */
  public static void meanTokensBackward(
      KernelContext context, FloatArray dy, FloatArray dx, int batch, int tokens, int hidden) {
    int item = context.globalIdx;
    if (item < batch * tokens * hidden) {
      int image = item / (tokens * hidden);
      dx.set(item, dy.get(image * hidden + item % hidden) / tokens);
    }
  }
}
