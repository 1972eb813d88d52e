package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;
import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The kernels in the Vector API.
 *
 * <p>What a loop accumulates is the argument of its operation, never the receiver: the JIT knows
 * the class of a vector just loaded, but that of one that comes from the last iteration only from a
 * profile. With too little of a profile it does not inline the operation, and makes an object of
 * every vector.
 */
final class VectorKernels {
  /** Bytes of a vector, and of one step of k in a panel. */
  private static final long BYTES = (long) WIDTH * Float.BYTES;

  private static final long STEP = (long) COLUMNS * Float.BYTES;

  private VectorKernels() {}

  static void activate(Activation activation, float[] x, int offset, int count) {
    int i = 0;
    if (activation == Activation.GELU) {
      // Apart from the switch because it is the epilogue of nearly every model's largest GEMM.
      for (; i <= count - WIDTH; i += WIDTH) {
        VectorMath.gelu(FloatVector.fromArray(SPECIES, x, offset + i)).intoArray(x, offset + i);
      }
    } else {
      for (; i <= count - WIDTH; i += WIDTH) {
        VectorMath.activate(activation, FloatVector.fromArray(SPECIES, x, offset + i))
            .intoArray(x, offset + i);
      }
    }
    PlainKernels.activate(activation, x, offset + i, count - i);
  }

  static void layerNorm(
      float[] input, int at, float[] weight, float[] bias, float epsilon, float[] output) {
    int width = weight.length;
    int whole = SPECIES.loopBound(width);
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = 0; i < whole; i += WIDTH) {
      sum = FloatVector.fromArray(SPECIES, input, at + i).add(sum);
    }
    float total = lanes(sum, whole, output, at);
    for (int i = whole; i < width; i++) {
      total += input[at + i];
    }
    float mean = total / width;
    FloatVector squares = FloatVector.zero(SPECIES);
    for (int i = 0; i < whole; i += WIDTH) {
      FloatVector d = FloatVector.fromArray(SPECIES, input, at + i).sub(mean);
      squares = d.fma(d, squares);
    }
    float variance = lanes(squares, whole, output, at);
    for (int i = whole; i < width; i++) {
      float d = input[at + i] - mean;
      variance = Math.fma(d, d, variance);
    }
    float inverse = (float) (1 / Math.sqrt(variance / width + epsilon));
    for (int i = 0; i < whole; i += WIDTH) {
      FloatVector.fromArray(SPECIES, input, at + i)
          .sub(mean)
          .mul(inverse)
          .fma(FloatVector.fromArray(SPECIES, weight, i), FloatVector.fromArray(SPECIES, bias, i))
          .intoArray(output, at + i);
    }
    for (int i = whole; i < width; i++) {
      output[at + i] = Math.fma((input[at + i] - mean) * inverse, weight[i], bias[i]);
    }
  }

  /**
   * The sum of the lanes, first to last: {@code reduceLanes} leaves the order open. {@code scratch}
   * is the row that is written next anyway.
   */
  private static float lanes(FloatVector sums, int whole, float[] scratch, int at) {
    float total = 0;
    if (whole > 0) {
      sums.intoArray(scratch, at);
      for (int lane = 0; lane < WIDTH; lane++) {
        total += scratch[at + lane];
      }
    }
    return total;
  }

  static void softmax(float[] scores, int keys, int columns, long panel, float[] inverse) {
    int end = columns <= 2 * WIDTH ? 2 * WIDTH : COLUMNS;
    for (int lane = 0; lane < end; lane += WIDTH) {
      FloatVector max = FloatVector.fromArray(SPECIES, scores, lane);
      for (int k = 1; k < keys; k++) {
        max = FloatVector.fromArray(SPECIES, scores, k * COLUMNS + lane).max(max);
      }
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int k = 0; k < keys; k++) {
        int at = k * COLUMNS + lane;
        FloatVector p = VectorMath.exp(FloatVector.fromArray(SPECIES, scores, at).sub(max));
        sum = p.add(sum);
        NativeFloats.store(p, panel + (long) at * Float.BYTES);
      }
      FloatVector.broadcast(SPECIES, 1f).div(sum).intoArray(inverse, lane);
    }
  }

  /**
   * Copies {@code rows} rows of {@code columns} floats, {@code stride} apart, to a panel; the
   * columns that a panel has beyond them are zeroed.
   */
  static void copyColumns(float[] source, int from, int stride, int columns, int rows, long panel) {
    int whole = columns / WIDTH * WIDTH;
    VectorMask<Float> rest = SPECIES.indexInRange(whole, columns);
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int row = 0; row < rows; row++) {
      int at = from + row * stride;
      long to = panel + row * STEP;
      int column = 0;
      for (; column < whole; column += WIDTH) {
        NativeFloats.store(
            FloatVector.fromArray(SPECIES, source, at + column), to + (long) column * Float.BYTES);
      }
      if (column < columns) {
        NativeFloats.store(
            FloatVector.fromArray(SPECIES, source, at + column, rest),
            to + (long) column * Float.BYTES);
        column += WIDTH;
      }
      for (; column < COLUMNS; column += WIDTH) {
        NativeFloats.store(zero, to + (long) column * Float.BYTES);
      }
    }
  }

  /**
   * As {@link Packing#transposedRows}. A step of k moves a whole vector, of which the next steps
   * write what is beyond the tile's rows once more; masks would cost more than the moves.
   */
  static void transposedRows(
      float[] source, int from, int stride, int columns, int depth, float[] target, int to) {
    int k = 0;
    if (columns == ROWS && WIDTH >= ROWS) {
      int readable = Math.floorDiv(source.length - WIDTH - from, stride) + 1;
      int writable = Math.floorDiv(depth * ROWS - WIDTH, ROWS) + 1;
      for (; k < Math.min(readable, writable); k++) {
        FloatVector.fromArray(SPECIES, source, from + k * stride).intoArray(target, to + k * ROWS);
      }
    }
    Packing.transposedRows(
        source, from + k * stride, stride, columns, depth - k, target, to + k * ROWS);
  }

  /** {@code output = left + right}, whole vectors only. */
  static void sum(float[] left, int l, float[] right, int r, float[] output, int o, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      FloatVector.fromArray(SPECIES, left, l + i)
          .add(FloatVector.fromArray(SPECIES, right, r + i))
          .intoArray(output, o + i);
    }
  }

  /**
   * C += A·B for one register tile of C.
   *
   * <p>A is packed {@code [k][ROWS]}, B {@code [k][COLUMNS]}: each step of k loads two vectors of
   * B, broadcasts one float of A for each row and does a fused multiply-add with it for each
   * vector. All sums stay in registers. Written out because the compiler keeps neither arrays of
   * vectors nor vectors that cross a call in registers.
   *
   * @param a packed rows, from {@code a0} on
   * @param b address of the packed columns
   * @param depth steps of k
   * @param c the tile's first element is {@code c[c0]}, its rows are {@code stride} apart
   */
  static void multiplyAdd(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    if (Lanes.VECTORS == 4) {
      sixByFour(a, a0, b, depth, c, c0, stride);
    } else {
      sixByTwo(a, a0, b, depth, c, c0, stride);
    }
  }

  private static void sixByFour(
      float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    int row0 = c0;
    int row1 = c0 + stride;
    int row2 = c0 + 2 * stride;
    int row3 = c0 + 3 * stride;
    int row4 = c0 + 4 * stride;
    int row5 = c0 + 5 * stride;
    FloatVector c0x = FloatVector.fromArray(SPECIES, c, row0);
    FloatVector c0y = FloatVector.fromArray(SPECIES, c, row0 + WIDTH);
    FloatVector c0z = FloatVector.fromArray(SPECIES, c, row0 + 2 * WIDTH);
    FloatVector c0w = FloatVector.fromArray(SPECIES, c, row0 + 3 * WIDTH);
    FloatVector c1x = FloatVector.fromArray(SPECIES, c, row1);
    FloatVector c1y = FloatVector.fromArray(SPECIES, c, row1 + WIDTH);
    FloatVector c1z = FloatVector.fromArray(SPECIES, c, row1 + 2 * WIDTH);
    FloatVector c1w = FloatVector.fromArray(SPECIES, c, row1 + 3 * WIDTH);
    FloatVector c2x = FloatVector.fromArray(SPECIES, c, row2);
    FloatVector c2y = FloatVector.fromArray(SPECIES, c, row2 + WIDTH);
    FloatVector c2z = FloatVector.fromArray(SPECIES, c, row2 + 2 * WIDTH);
    FloatVector c2w = FloatVector.fromArray(SPECIES, c, row2 + 3 * WIDTH);
    FloatVector c3x = FloatVector.fromArray(SPECIES, c, row3);
    FloatVector c3y = FloatVector.fromArray(SPECIES, c, row3 + WIDTH);
    FloatVector c3z = FloatVector.fromArray(SPECIES, c, row3 + 2 * WIDTH);
    FloatVector c3w = FloatVector.fromArray(SPECIES, c, row3 + 3 * WIDTH);
    FloatVector c4x = FloatVector.fromArray(SPECIES, c, row4);
    FloatVector c4y = FloatVector.fromArray(SPECIES, c, row4 + WIDTH);
    FloatVector c4z = FloatVector.fromArray(SPECIES, c, row4 + 2 * WIDTH);
    FloatVector c4w = FloatVector.fromArray(SPECIES, c, row4 + 3 * WIDTH);
    FloatVector c5x = FloatVector.fromArray(SPECIES, c, row5);
    FloatVector c5y = FloatVector.fromArray(SPECIES, c, row5 + WIDTH);
    FloatVector c5z = FloatVector.fromArray(SPECIES, c, row5 + 2 * WIDTH);
    FloatVector c5w = FloatVector.fromArray(SPECIES, c, row5 + 3 * WIDTH);
    for (int k = 0; k < depth; k++) {
      long at = b + k * STEP;
      FloatVector x = NativeFloats.load(at);
      FloatVector y = NativeFloats.load(at + BYTES);
      FloatVector z = NativeFloats.load(at + 2 * BYTES);
      FloatVector w = NativeFloats.load(at + 3 * BYTES);
      int i = a0 + k * 6;
      FloatVector s = FloatVector.broadcast(SPECIES, a[i]);
      c0x = s.fma(x, c0x);
      c0y = s.fma(y, c0y);
      c0z = s.fma(z, c0z);
      c0w = s.fma(w, c0w);
      s = FloatVector.broadcast(SPECIES, a[i + 1]);
      c1x = s.fma(x, c1x);
      c1y = s.fma(y, c1y);
      c1z = s.fma(z, c1z);
      c1w = s.fma(w, c1w);
      s = FloatVector.broadcast(SPECIES, a[i + 2]);
      c2x = s.fma(x, c2x);
      c2y = s.fma(y, c2y);
      c2z = s.fma(z, c2z);
      c2w = s.fma(w, c2w);
      s = FloatVector.broadcast(SPECIES, a[i + 3]);
      c3x = s.fma(x, c3x);
      c3y = s.fma(y, c3y);
      c3z = s.fma(z, c3z);
      c3w = s.fma(w, c3w);
      s = FloatVector.broadcast(SPECIES, a[i + 4]);
      c4x = s.fma(x, c4x);
      c4y = s.fma(y, c4y);
      c4z = s.fma(z, c4z);
      c4w = s.fma(w, c4w);
      s = FloatVector.broadcast(SPECIES, a[i + 5]);
      c5x = s.fma(x, c5x);
      c5y = s.fma(y, c5y);
      c5z = s.fma(z, c5z);
      c5w = s.fma(w, c5w);
    }
    c0x.intoArray(c, row0);
    c0y.intoArray(c, row0 + WIDTH);
    c0z.intoArray(c, row0 + 2 * WIDTH);
    c0w.intoArray(c, row0 + 3 * WIDTH);
    c1x.intoArray(c, row1);
    c1y.intoArray(c, row1 + WIDTH);
    c1z.intoArray(c, row1 + 2 * WIDTH);
    c1w.intoArray(c, row1 + 3 * WIDTH);
    c2x.intoArray(c, row2);
    c2y.intoArray(c, row2 + WIDTH);
    c2z.intoArray(c, row2 + 2 * WIDTH);
    c2w.intoArray(c, row2 + 3 * WIDTH);
    c3x.intoArray(c, row3);
    c3y.intoArray(c, row3 + WIDTH);
    c3z.intoArray(c, row3 + 2 * WIDTH);
    c3w.intoArray(c, row3 + 3 * WIDTH);
    c4x.intoArray(c, row4);
    c4y.intoArray(c, row4 + WIDTH);
    c4z.intoArray(c, row4 + 2 * WIDTH);
    c4w.intoArray(c, row4 + 3 * WIDTH);
    c5x.intoArray(c, row5);
    c5y.intoArray(c, row5 + WIDTH);
    c5z.intoArray(c, row5 + 2 * WIDTH);
    c5w.intoArray(c, row5 + 3 * WIDTH);
  }

  /** The first two vectors of a panel. */
  static void sixByTwo(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    int row0 = c0;
    int row1 = c0 + stride;
    int row2 = c0 + 2 * stride;
    int row3 = c0 + 3 * stride;
    int row4 = c0 + 4 * stride;
    int row5 = c0 + 5 * stride;
    FloatVector c0x = FloatVector.fromArray(SPECIES, c, row0);
    FloatVector c0y = FloatVector.fromArray(SPECIES, c, row0 + WIDTH);
    FloatVector c1x = FloatVector.fromArray(SPECIES, c, row1);
    FloatVector c1y = FloatVector.fromArray(SPECIES, c, row1 + WIDTH);
    FloatVector c2x = FloatVector.fromArray(SPECIES, c, row2);
    FloatVector c2y = FloatVector.fromArray(SPECIES, c, row2 + WIDTH);
    FloatVector c3x = FloatVector.fromArray(SPECIES, c, row3);
    FloatVector c3y = FloatVector.fromArray(SPECIES, c, row3 + WIDTH);
    FloatVector c4x = FloatVector.fromArray(SPECIES, c, row4);
    FloatVector c4y = FloatVector.fromArray(SPECIES, c, row4 + WIDTH);
    FloatVector c5x = FloatVector.fromArray(SPECIES, c, row5);
    FloatVector c5y = FloatVector.fromArray(SPECIES, c, row5 + WIDTH);
    for (int k = 0; k < depth; k++) {
      long at = b + k * STEP;
      FloatVector x = NativeFloats.load(at);
      FloatVector y = NativeFloats.load(at + BYTES);
      int i = a0 + k * 6;
      FloatVector s = FloatVector.broadcast(SPECIES, a[i]);
      c0x = s.fma(x, c0x);
      c0y = s.fma(y, c0y);
      s = FloatVector.broadcast(SPECIES, a[i + 1]);
      c1x = s.fma(x, c1x);
      c1y = s.fma(y, c1y);
      s = FloatVector.broadcast(SPECIES, a[i + 2]);
      c2x = s.fma(x, c2x);
      c2y = s.fma(y, c2y);
      s = FloatVector.broadcast(SPECIES, a[i + 3]);
      c3x = s.fma(x, c3x);
      c3y = s.fma(y, c3y);
      s = FloatVector.broadcast(SPECIES, a[i + 4]);
      c4x = s.fma(x, c4x);
      c4y = s.fma(y, c4y);
      s = FloatVector.broadcast(SPECIES, a[i + 5]);
      c5x = s.fma(x, c5x);
      c5y = s.fma(y, c5y);
    }
    c0x.intoArray(c, row0);
    c0y.intoArray(c, row0 + WIDTH);
    c1x.intoArray(c, row1);
    c1y.intoArray(c, row1 + WIDTH);
    c2x.intoArray(c, row2);
    c2y.intoArray(c, row2 + WIDTH);
    c3x.intoArray(c, row3);
    c3y.intoArray(c, row3 + WIDTH);
    c4x.intoArray(c, row4);
    c4y.intoArray(c, row4 + WIDTH);
    c5x.intoArray(c, row5);
    c5y.intoArray(c, row5 + WIDTH);
  }

  /**
   * As {@link #multiplyAdd}, with the rows of A where they are: the first one starts at {@code a0},
   * the others {@code aStride} apart. It reads six streams instead of one and saves packing, which
   * is worth it where a row meets few panels.
   */
  static void multiplyRows(
      float[] a, int a0, int aStride, long b, int depth, float[] c, int c0, int stride) {
    if (Lanes.VECTORS == 4) {
      sixRowsByFour(a, a0, aStride, b, depth, c, c0, stride);
    } else {
      sixRowsByTwo(a, a0, aStride, b, depth, c, c0, stride);
    }
  }

  private static void sixRowsByFour(
      float[] a, int a0, int aStride, long b, int depth, float[] c, int c0, int stride) {
    int a1 = a0 + aStride;
    int a2 = a0 + 2 * aStride;
    int a3 = a0 + 3 * aStride;
    int a4 = a0 + 4 * aStride;
    int a5 = a0 + 5 * aStride;
    int row0 = c0;
    int row1 = c0 + stride;
    int row2 = c0 + 2 * stride;
    int row3 = c0 + 3 * stride;
    int row4 = c0 + 4 * stride;
    int row5 = c0 + 5 * stride;
    FloatVector c0x = FloatVector.fromArray(SPECIES, c, row0);
    FloatVector c0y = FloatVector.fromArray(SPECIES, c, row0 + WIDTH);
    FloatVector c0z = FloatVector.fromArray(SPECIES, c, row0 + 2 * WIDTH);
    FloatVector c0w = FloatVector.fromArray(SPECIES, c, row0 + 3 * WIDTH);
    FloatVector c1x = FloatVector.fromArray(SPECIES, c, row1);
    FloatVector c1y = FloatVector.fromArray(SPECIES, c, row1 + WIDTH);
    FloatVector c1z = FloatVector.fromArray(SPECIES, c, row1 + 2 * WIDTH);
    FloatVector c1w = FloatVector.fromArray(SPECIES, c, row1 + 3 * WIDTH);
    FloatVector c2x = FloatVector.fromArray(SPECIES, c, row2);
    FloatVector c2y = FloatVector.fromArray(SPECIES, c, row2 + WIDTH);
    FloatVector c2z = FloatVector.fromArray(SPECIES, c, row2 + 2 * WIDTH);
    FloatVector c2w = FloatVector.fromArray(SPECIES, c, row2 + 3 * WIDTH);
    FloatVector c3x = FloatVector.fromArray(SPECIES, c, row3);
    FloatVector c3y = FloatVector.fromArray(SPECIES, c, row3 + WIDTH);
    FloatVector c3z = FloatVector.fromArray(SPECIES, c, row3 + 2 * WIDTH);
    FloatVector c3w = FloatVector.fromArray(SPECIES, c, row3 + 3 * WIDTH);
    FloatVector c4x = FloatVector.fromArray(SPECIES, c, row4);
    FloatVector c4y = FloatVector.fromArray(SPECIES, c, row4 + WIDTH);
    FloatVector c4z = FloatVector.fromArray(SPECIES, c, row4 + 2 * WIDTH);
    FloatVector c4w = FloatVector.fromArray(SPECIES, c, row4 + 3 * WIDTH);
    FloatVector c5x = FloatVector.fromArray(SPECIES, c, row5);
    FloatVector c5y = FloatVector.fromArray(SPECIES, c, row5 + WIDTH);
    FloatVector c5z = FloatVector.fromArray(SPECIES, c, row5 + 2 * WIDTH);
    FloatVector c5w = FloatVector.fromArray(SPECIES, c, row5 + 3 * WIDTH);
    for (int k = 0; k < depth; k++) {
      long at = b + k * STEP;
      FloatVector x = NativeFloats.load(at);
      FloatVector y = NativeFloats.load(at + BYTES);
      FloatVector z = NativeFloats.load(at + 2 * BYTES);
      FloatVector w = NativeFloats.load(at + 3 * BYTES);
      FloatVector s = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c0x = s.fma(x, c0x);
      c0y = s.fma(y, c0y);
      c0z = s.fma(z, c0z);
      c0w = s.fma(w, c0w);
      s = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c1x = s.fma(x, c1x);
      c1y = s.fma(y, c1y);
      c1z = s.fma(z, c1z);
      c1w = s.fma(w, c1w);
      s = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c2x = s.fma(x, c2x);
      c2y = s.fma(y, c2y);
      c2z = s.fma(z, c2z);
      c2w = s.fma(w, c2w);
      s = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c3x = s.fma(x, c3x);
      c3y = s.fma(y, c3y);
      c3z = s.fma(z, c3z);
      c3w = s.fma(w, c3w);
      s = FloatVector.broadcast(SPECIES, a[a4 + k]);
      c4x = s.fma(x, c4x);
      c4y = s.fma(y, c4y);
      c4z = s.fma(z, c4z);
      c4w = s.fma(w, c4w);
      s = FloatVector.broadcast(SPECIES, a[a5 + k]);
      c5x = s.fma(x, c5x);
      c5y = s.fma(y, c5y);
      c5z = s.fma(z, c5z);
      c5w = s.fma(w, c5w);
    }
    c0x.intoArray(c, row0);
    c0y.intoArray(c, row0 + WIDTH);
    c0z.intoArray(c, row0 + 2 * WIDTH);
    c0w.intoArray(c, row0 + 3 * WIDTH);
    c1x.intoArray(c, row1);
    c1y.intoArray(c, row1 + WIDTH);
    c1z.intoArray(c, row1 + 2 * WIDTH);
    c1w.intoArray(c, row1 + 3 * WIDTH);
    c2x.intoArray(c, row2);
    c2y.intoArray(c, row2 + WIDTH);
    c2z.intoArray(c, row2 + 2 * WIDTH);
    c2w.intoArray(c, row2 + 3 * WIDTH);
    c3x.intoArray(c, row3);
    c3y.intoArray(c, row3 + WIDTH);
    c3z.intoArray(c, row3 + 2 * WIDTH);
    c3w.intoArray(c, row3 + 3 * WIDTH);
    c4x.intoArray(c, row4);
    c4y.intoArray(c, row4 + WIDTH);
    c4z.intoArray(c, row4 + 2 * WIDTH);
    c4w.intoArray(c, row4 + 3 * WIDTH);
    c5x.intoArray(c, row5);
    c5y.intoArray(c, row5 + WIDTH);
    c5z.intoArray(c, row5 + 2 * WIDTH);
    c5w.intoArray(c, row5 + 3 * WIDTH);
  }

  /** The first two vectors of a panel. */
  static void sixRowsByTwo(
      float[] a, int a0, int aStride, long b, int depth, float[] c, int c0, int stride) {
    int a1 = a0 + aStride;
    int a2 = a0 + 2 * aStride;
    int a3 = a0 + 3 * aStride;
    int a4 = a0 + 4 * aStride;
    int a5 = a0 + 5 * aStride;
    int row0 = c0;
    int row1 = c0 + stride;
    int row2 = c0 + 2 * stride;
    int row3 = c0 + 3 * stride;
    int row4 = c0 + 4 * stride;
    int row5 = c0 + 5 * stride;
    FloatVector c0x = FloatVector.fromArray(SPECIES, c, row0);
    FloatVector c0y = FloatVector.fromArray(SPECIES, c, row0 + WIDTH);
    FloatVector c1x = FloatVector.fromArray(SPECIES, c, row1);
    FloatVector c1y = FloatVector.fromArray(SPECIES, c, row1 + WIDTH);
    FloatVector c2x = FloatVector.fromArray(SPECIES, c, row2);
    FloatVector c2y = FloatVector.fromArray(SPECIES, c, row2 + WIDTH);
    FloatVector c3x = FloatVector.fromArray(SPECIES, c, row3);
    FloatVector c3y = FloatVector.fromArray(SPECIES, c, row3 + WIDTH);
    FloatVector c4x = FloatVector.fromArray(SPECIES, c, row4);
    FloatVector c4y = FloatVector.fromArray(SPECIES, c, row4 + WIDTH);
    FloatVector c5x = FloatVector.fromArray(SPECIES, c, row5);
    FloatVector c5y = FloatVector.fromArray(SPECIES, c, row5 + WIDTH);
    for (int k = 0; k < depth; k++) {
      long at = b + k * STEP;
      FloatVector x = NativeFloats.load(at);
      FloatVector y = NativeFloats.load(at + BYTES);
      FloatVector s = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c0x = s.fma(x, c0x);
      c0y = s.fma(y, c0y);
      s = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c1x = s.fma(x, c1x);
      c1y = s.fma(y, c1y);
      s = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c2x = s.fma(x, c2x);
      c2y = s.fma(y, c2y);
      s = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c3x = s.fma(x, c3x);
      c3y = s.fma(y, c3y);
      s = FloatVector.broadcast(SPECIES, a[a4 + k]);
      c4x = s.fma(x, c4x);
      c4y = s.fma(y, c4y);
      s = FloatVector.broadcast(SPECIES, a[a5 + k]);
      c5x = s.fma(x, c5x);
      c5y = s.fma(y, c5y);
    }
    c0x.intoArray(c, row0);
    c0y.intoArray(c, row0 + WIDTH);
    c1x.intoArray(c, row1);
    c1y.intoArray(c, row1 + WIDTH);
    c2x.intoArray(c, row2);
    c2y.intoArray(c, row2 + WIDTH);
    c3x.intoArray(c, row3);
    c3y.intoArray(c, row3 + WIDTH);
    c4x.intoArray(c, row4);
    c4y.intoArray(c, row4 + WIDTH);
    c5x.intoArray(c, row5);
    c5y.intoArray(c, row5 + WIDTH);
  }
}
