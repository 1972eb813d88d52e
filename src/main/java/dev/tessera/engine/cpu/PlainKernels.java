package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;

/**
 * The kernels as plain loops over arrays: fast in every tier of the JIT, but far from what the
 * machine can do.
 *
 * <p>They round where {@link VectorKernels} round, operation by operation, so that a result does
 * not depend on the moment at which {@link Kernels} switched. Hence the fused multiply-adds, and
 * the sums of {@link #layerNorm} that go by lanes.
 */
final class PlainKernels {
  private PlainKernels() {}

  /** See {@link VectorKernels#multiplyAdd}. Two rows and four columns at a time in registers. */
  static void multiplyAdd(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    multiply(a, a0, 1, ROWS, b, depth, c, c0, stride);
  }

  /** See {@link VectorKernels#multiplyRows}. */
  static void multiplyRows(
      float[] a, int a0, int aStride, long b, int depth, float[] c, int c0, int stride) {
    multiply(a, a0, aStride, 1, b, depth, c, c0, stride);
  }

  private static void multiply(
      float[] a, int a0, int aRow, int aStep, long b, int depth, float[] c, int c0, int stride) {
    float[] panel = new float[depth * COLUMNS];
    NativeFloats.read(b, panel, 0, panel.length);
    for (int row = 0; row < ROWS; row += 2) {
      for (int column = 0; column < COLUMNS; column += 4) {
        int to = c0 + row * stride + column;
        int from = a0 + row * aRow;
        multiply(a, from, from + aRow, aStep, panel, column, depth, c, to, to + stride);
      }
    }
  }

  private static void multiply(
      float[] a,
      int a0,
      int a1,
      int aStep,
      float[] b,
      int column,
      int depth,
      float[] c,
      int c0,
      int c1) {
    float s00 = c[c0];
    float s01 = c[c0 + 1];
    float s02 = c[c0 + 2];
    float s03 = c[c0 + 3];
    float s10 = c[c1];
    float s11 = c[c1 + 1];
    float s12 = c[c1 + 2];
    float s13 = c[c1 + 3];
    for (int k = 0; k < depth; k++) {
      float x = a[a0 + k * aStep];
      float y = a[a1 + k * aStep];
      int at = column + k * COLUMNS;
      s00 = Math.fma(x, b[at], s00);
      s01 = Math.fma(x, b[at + 1], s01);
      s02 = Math.fma(x, b[at + 2], s02);
      s03 = Math.fma(x, b[at + 3], s03);
      s10 = Math.fma(y, b[at], s10);
      s11 = Math.fma(y, b[at + 1], s11);
      s12 = Math.fma(y, b[at + 2], s12);
      s13 = Math.fma(y, b[at + 3], s13);
    }
    c[c0] = s00;
    c[c0 + 1] = s01;
    c[c0 + 2] = s02;
    c[c0 + 3] = s03;
    c[c1] = s10;
    c[c1 + 1] = s11;
    c[c1 + 2] = s12;
    c[c1 + 3] = s13;
  }

  static void activate(Activation activation, float[] x, int offset, int count) {
    for (int i = offset; i < offset + count; i++) {
      x[i] = activate(activation, x[i]);
    }
  }

  private static float activate(Activation activation, float x) {
    return switch (activation) {
      case IDENTITY -> x;
      case GELU -> gelu(x);
      case GELU_TANH -> geluTanh(x);
      case QUICK_GELU -> x * sigmoid(x * 1.702f);
      case RELU -> Math.max(x, 0f);
      case SILU -> x * sigmoid(x);
      case TANH -> tanh(x);
      case SIGMOID -> sigmoid(x);
    };
  }

  static void layerNorm(
      float[] input, int at, float[] weight, float[] bias, float epsilon, float[] output) {
    int width = weight.length;
    int whole = width / WIDTH * WIDTH;
    float total = 0;
    for (int lane = 0; lane < WIDTH && whole > 0; lane++) {
      float sum = 0;
      for (int i = lane; i < whole; i += WIDTH) {
        sum += input[at + i];
      }
      total += sum;
    }
    for (int i = whole; i < width; i++) {
      total += input[at + i];
    }
    float mean = total / width;
    float variance = 0;
    for (int lane = 0; lane < WIDTH && whole > 0; lane++) {
      float squares = 0;
      for (int i = lane; i < whole; i += WIDTH) {
        float d = input[at + i] - mean;
        squares = Math.fma(d, d, squares);
      }
      variance += squares;
    }
    for (int i = whole; i < width; i++) {
      float d = input[at + i] - mean;
      variance = Math.fma(d, d, variance);
    }
    float inverse = (float) (1 / Math.sqrt(variance / width + epsilon));
    for (int i = 0; i < width; i++) {
      output[at + i] = Math.fma((input[at + i] - mean) * inverse, weight[i], bias[i]);
    }
  }

  static void softmax(float[] scores, int keys, int columns, long panel, float[] inverse) {
    for (int column = 0; column < columns; column++) {
      float max = scores[column];
      for (int k = 1; k < keys; k++) {
        max = Math.max(max, scores[k * COLUMNS + column]);
      }
      float sum = 0;
      for (int k = 0; k < keys; k++) {
        float p = exp(scores[k * COLUMNS + column] - max);
        scores[k * COLUMNS + column] = p;
        sum += p;
      }
      inverse[column] = 1 / sum;
    }
    NativeFloats.copy(scores, 0, panel, keys * COLUMNS);
  }

  private static float gelu(float x) {
    float half = x * 0.5f;
    return Math.fma(half, erf(x * 0.70710677f), half);
  }

  private static float geluTanh(float x) {
    float half = x * 0.5f;
    return Math.fma(half, tanh(Math.fma(x * x, 0.044715f, 1f) * x * 0.7978846f), half);
  }

  private static float sigmoid(float x) {
    return 1f / (exp(-x) + 1f);
  }

  private static float exp(float x) {
    float clamped = Math.min(Math.max(x, VectorMath.LOWEST), 88.37f);
    float shifted = Math.fma(clamped, VectorMath.LOG2_E, VectorMath.ROUND);
    float n = shifted - VectorMath.ROUND;
    float r = Math.fma(n, -VectorMath.LN2_LOW, Math.fma(n, -VectorMath.LN2_HIGH, clamped));
    float p = Math.fma(0.0013814467f, r, 0.008368781f);
    p = Math.fma(p, r, 0.041668393f);
    p = Math.fma(p, r, 0.1666652f);
    p = Math.fma(p, r, 0.49999994f);
    p = Math.fma(p, r * r, r + 1f);
    int power = (Float.floatToRawIntBits(shifted) << 23) + VectorMath.ONE;
    return p * Float.intBitsToFloat(power);
  }

  private static float erf(float x) {
    float a = Math.min(Math.max(x, -4f), 4f);
    float z = a * a;
    float n = Math.fma(1.9748254e-6f, z, 2.8803997e-4f);
    n = Math.fma(n, z, 0.0040036137f);
    n = Math.fma(n, z, 0.053467378f);
    n = Math.fma(n, z, 0.19624834f);
    n = Math.fma(n, z, 1.128379f);
    float d = Math.fma(3.7480735e-5f, z, 0.0012163507f);
    d = Math.fma(d, z, 0.015444358f);
    d = Math.fma(d, z, 0.11647615f);
    d = Math.fma(d, z, 0.50725174f);
    d = Math.fma(d, z, 1f);
    return a * n / d;
  }

  private static float tanh(float x) {
    float a = Math.min(Math.max(x, -9f), 9f);
    float z = a * a;
    float n = Math.fma(-1.2082867e-11f, z, 3.0400663e-8f);
    n = Math.fma(n, z, 2.792326e-5f);
    n = Math.fma(n, z, 0.0038639274f);
    n = Math.fma(n, z, 0.13676342f);
    n = Math.fma(n, z, 1f);
    float d = Math.fma(1.2817263e-6f, z, 3.931037e-4f);
    d = Math.fma(d, z, 0.027229536f);
    d = Math.fma(d, z, 0.47009674f);
    d = Math.fma(d, z, 1f);
    return a * n / d;
  }
}
