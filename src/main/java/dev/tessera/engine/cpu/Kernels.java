package dev.tessera.engine.cpu;

import dev.tessera.graph.Activation;

/**
 * The inner loops of the engine, in two forms: {@link VectorKernels} and, until those are compiled,
 * {@link PlainKernels}.
 *
 * <p>Vector API code is thousands of times slower than its compiled form while it is interpreted,
 * and a first image would spend seconds there. Plain loops are not. So an engine starts on them;
 * once there is enough to do, {@link WarmUp} makes the JIT compile the vector kernels on another
 * thread, and each kind of kernel is switched over once it was seen to be faster. On a JVM that
 * does not compile the Vector API to vector instructions the switch never comes, and the engine
 * stays right, if slow.
 */
final class Kernels {
  private volatile boolean vectorProducts;
  private volatile boolean vectorRows;
  private volatile boolean vectorElements;

  /** C += A·B for one register tile; see {@link VectorKernels#multiplyAdd}. */
  void multiplyAdd(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    if (vectorProducts) {
      VectorKernels.multiplyAdd(a, a0, b, depth, c, c0, stride);
    } else {
      PlainKernels.multiplyAdd(a, a0, b, depth, c, c0, stride);
    }
  }

  /** The same with the rows of A where they are; see {@link VectorKernels#multiplyRows}. */
  void multiplyRows(
      float[] a, int a0, int aStride, long b, int depth, float[] c, int c0, int stride) {
    if (vectorRows) {
      VectorKernels.multiplyRows(a, a0, aStride, b, depth, c, c0, stride);
    } else {
      PlainKernels.multiplyRows(a, a0, aStride, b, depth, c, c0, stride);
    }
  }

  /**
   * {@link #multiplyAdd} where only the first {@code columns} of the panel count: the others may be
   * computed or not.
   */
  void multiplyAdd(
      float[] a, int a0, long b, int depth, float[] c, int c0, int stride, int columns) {
    if (vectorProducts && columns <= 2 * Lanes.WIDTH) {
      VectorKernels.sixByTwo(a, a0, b, depth, c, c0, stride);
    } else {
      multiplyAdd(a, a0, b, depth, c, c0, stride);
    }
  }

  /** {@link #multiplyRows} where only the first {@code columns} of the panel count. */
  void multiplyRows(
      float[] a,
      int a0,
      int aStride,
      long b,
      int depth,
      float[] c,
      int c0,
      int stride,
      int columns) {
    if (vectorRows && columns <= 2 * Lanes.WIDTH) {
      VectorKernels.sixRowsByTwo(a, a0, aStride, b, depth, c, c0, stride);
    } else {
      multiplyRows(a, a0, aStride, b, depth, c, c0, stride);
    }
  }

  /** Applies {@code activation} in place to {@code count} floats from {@code offset} on. */
  void activate(Activation activation, float[] x, int offset, int count) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    if (vectorElements) {
      VectorKernels.activate(activation, x, offset, count);
    } else {
      PlainKernels.activate(activation, x, offset, count);
    }
  }

  /** One row of layer normalisation, as long as {@code weight}, starting at {@code at}. */
  void layerNorm(
      float[] input, int at, float[] weight, float[] bias, float epsilon, float[] output) {
    if (vectorElements) {
      VectorKernels.layerNorm(input, at, weight, bias, epsilon, output);
    } else {
      PlainKernels.layerNorm(input, at, weight, bias, epsilon, output);
    }
  }

  /**
   * Softmax down the columns of {@code [keys][COLUMNS]} scores: exp(s − max) to the panel at
   * address {@code panel}, one over its sum to {@code inverse}. Only the first {@code columns}
   * count.
   */
  void softmax(float[] scores, int keys, int columns, long panel, float[] inverse) {
    if (vectorElements) {
      VectorKernels.softmax(scores, keys, columns, panel, inverse);
    } else {
      PlainKernels.softmax(scores, keys, columns, panel, inverse);
    }
  }

  /** {@code output = left + right} for {@code count} floats, whole vectors. */
  void sum(float[] left, int l, float[] right, int r, float[] output, int o, int count) {
    if (vectorProducts) {
      VectorKernels.sum(left, l, right, r, output, o, count);
    } else {
      for (int i = 0; i < count; i++) {
        output[o + i] = left[l + i] + right[r + i];
      }
    }
  }

  boolean vectorProducts() {
    return vectorProducts;
  }

  /** Whether {@link #multiplyRows} runs on vector instructions by now. */
  boolean vectorRows() {
    return vectorRows;
  }

  void useVectorProducts() {
    vectorProducts = true;
  }

  void useVectorRows() {
    vectorRows = true;
  }

  void useVectorElements() {
    vectorElements = true;
  }

  /** Whether everything that one image needs runs on vector instructions by now. */
  boolean vectorised() {
    return vectorProducts && vectorElements;
  }
}
