package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * Between floats and the halves that matrix units multiply: rounded to 11 significant bits,
 * infinite beyond 65 504. For devices with {@code cl_khr_fp16}, or CUDA's.
 */
public final class HalfPrecision {
  private HalfPrecision() {}

  /** {@code y = x}, rounded; one work-item for each of {@code n} elements. */
  public static void fromFloats(KernelContext context, FloatArray x, HalfFloatArray y, int n) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, new HalfFloat(x.get(i)));
    }
  }

  /** {@link Gemm#complete}, of which y takes the result, rounded, and c keeps the product. */
  public static void complete(
      KernelContext context,
      FloatArray c,
      FloatArray bias,
      FloatArray residual,
      HalfFloatArray y,
      int m,
      int n,
      int epilogue) {
    int i = context.globalIdx;
    if (i < m * n) {
      y.set(i, new HalfFloat(Gemm.finish(c.get(i), i % n, i, bias, residual, epilogue)));
    }
  }

  /**
   * As {@link #complete}, from {@code [batch, tokens, heads·width]} to {@code [batch, heads,
   * tokens, width]}; one work-item for each of {@code n} elements.
   */
  public static void splitHeads(
      KernelContext context,
      FloatArray c,
      FloatArray bias,
      FloatArray residual,
      HalfFloatArray y,
      int tokens,
      int heads,
      int width,
      int n,
      int epilogue) {
    int i = context.globalIdx;
    if (i < n) {
      int from = merged(i, tokens, heads, width);
      int column = from % (heads * width);
      y.set(i, new HalfFloat(Gemm.finish(c.get(from), column, from, bias, residual, epilogue)));
    }
  }

  /** The way back from {@link #splitHeads}, of halves; one work-item for each of n elements. */
  public static void mergeHalves(
      KernelContext context,
      HalfFloatArray x,
      HalfFloatArray y,
      int tokens,
      int heads,
      int width,
      int n) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(merged(i, tokens, heads, width), x.get(i));
    }
  }

  /** The way back from {@link #splitHeads}; one work-item for each of {@code n} elements. */
  public static void mergeHeads(
      KernelContext context,
      HalfFloatArray x,
      FloatArray y,
      int tokens,
      int heads,
      int width,
      int n) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(merged(i, tokens, heads, width), x.get(i).getFloat32());
    }
  }

  /**
   * Where element i of {@code [batch, heads, tokens, width]} is with all heads of a token joined.
   */
  private static int merged(int i, int tokens, int heads, int width) {
    int row = i / width;
    int token = row % tokens;
    int head = row / tokens % heads;
    int image = row / tokens / heads;
    return ((image * tokens + token) * heads + head) * width + i % width;
  }
}
