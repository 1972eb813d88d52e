package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;

/** The kernels in the Vector API. */
final class VectorKernels {
  /** Bytes of one step of k in a panel: two vectors. */
  private static final long STEP = 2L * WIDTH * Float.BYTES;

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
      sum = sum.add(FloatVector.fromArray(SPECIES, input, at + i));
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

  static void softmax(float[] scores, int keys, long panel, float[] inverse) {
    for (int lane = 0; lane < COLUMNS; lane += WIDTH) {
      FloatVector max = FloatVector.fromArray(SPECIES, scores, lane);
      for (int k = 1; k < keys; k++) {
        max = max.max(FloatVector.fromArray(SPECIES, scores, k * COLUMNS + lane));
      }
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int k = 0; k < keys; k++) {
        int at = k * COLUMNS + lane;
        FloatVector p = VectorMath.exp(FloatVector.fromArray(SPECIES, scores, at).sub(max));
        sum = sum.add(p);
        NativeFloats.store(p, panel + (long) at * Float.BYTES);
      }
      FloatVector.broadcast(SPECIES, 1f).div(sum).intoArray(inverse, lane);
    }
  }

  /**
   * C += A·B for one register tile of C.
   *
   * <p>A is packed {@code [k][ROWS]}, B {@code [k][COLUMNS]}: each step of k loads two vectors of
   * B, broadcasts one float of A for each row and does two fused multiply-adds with it. All sums
   * stay in registers. Written out because the compiler keeps neither arrays of vectors nor vectors
   * that cross a call in registers.
   *
   * @param a packed rows, from {@code a0} on
   * @param b address of the packed columns
   * @param depth steps of k
   * @param c the tile's first element is {@code c[c0]}, its rows are {@code stride} apart
   */
  static void multiplyAdd(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    if (Lanes.ROWS == 11) {
      elevenRows(a, a0, b, depth, c, c0, stride);
    } else {
      sixRows(a, a0, b, depth, c, c0, stride);
    }
  }

  private static void elevenRows(
      float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    int row0 = c0;
    int row1 = c0 + stride;
    int row2 = c0 + 2 * stride;
    int row3 = c0 + 3 * stride;
    int row4 = c0 + 4 * stride;
    int row5 = c0 + 5 * stride;
    int row6 = c0 + 6 * stride;
    int row7 = c0 + 7 * stride;
    int row8 = c0 + 8 * stride;
    int row9 = c0 + 9 * stride;
    int row10 = c0 + 10 * stride;
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
    FloatVector c6x = FloatVector.fromArray(SPECIES, c, row6);
    FloatVector c6y = FloatVector.fromArray(SPECIES, c, row6 + WIDTH);
    FloatVector c7x = FloatVector.fromArray(SPECIES, c, row7);
    FloatVector c7y = FloatVector.fromArray(SPECIES, c, row7 + WIDTH);
    FloatVector c8x = FloatVector.fromArray(SPECIES, c, row8);
    FloatVector c8y = FloatVector.fromArray(SPECIES, c, row8 + WIDTH);
    FloatVector c9x = FloatVector.fromArray(SPECIES, c, row9);
    FloatVector c9y = FloatVector.fromArray(SPECIES, c, row9 + WIDTH);
    FloatVector c10x = FloatVector.fromArray(SPECIES, c, row10);
    FloatVector c10y = FloatVector.fromArray(SPECIES, c, row10 + WIDTH);
    for (int k = 0; k < depth; k++) {
      long at = b + k * STEP;
      FloatVector x = NativeFloats.load(at);
      FloatVector y = NativeFloats.load(at + STEP / 2);
      int i = a0 + k * 11;
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
      s = FloatVector.broadcast(SPECIES, a[i + 6]);
      c6x = s.fma(x, c6x);
      c6y = s.fma(y, c6y);
      s = FloatVector.broadcast(SPECIES, a[i + 7]);
      c7x = s.fma(x, c7x);
      c7y = s.fma(y, c7y);
      s = FloatVector.broadcast(SPECIES, a[i + 8]);
      c8x = s.fma(x, c8x);
      c8y = s.fma(y, c8y);
      s = FloatVector.broadcast(SPECIES, a[i + 9]);
      c9x = s.fma(x, c9x);
      c9y = s.fma(y, c9y);
      s = FloatVector.broadcast(SPECIES, a[i + 10]);
      c10x = s.fma(x, c10x);
      c10y = s.fma(y, c10y);
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
    c6x.intoArray(c, row6);
    c6y.intoArray(c, row6 + WIDTH);
    c7x.intoArray(c, row7);
    c7y.intoArray(c, row7 + WIDTH);
    c8x.intoArray(c, row8);
    c8y.intoArray(c, row8 + WIDTH);
    c9x.intoArray(c, row9);
    c9y.intoArray(c, row9 + WIDTH);
    c10x.intoArray(c, row10);
    c10y.intoArray(c, row10 + WIDTH);
  }

  private static void sixRows(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
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
      FloatVector y = NativeFloats.load(at + STEP / 2);
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
}
