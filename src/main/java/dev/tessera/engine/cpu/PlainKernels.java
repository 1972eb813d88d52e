package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.graph.Activation;

/**
 * The kernels as plain loops over arrays, with the formulas of {@link VectorMath}: fast in every
 * tier of the JIT, but far from what the machine can do.
 */
final class PlainKernels {
  private PlainKernels() {}

  /** See {@link VectorKernels#multiplyAdd}. Four rows and four columns at a time in registers. */
  static void multiplyAdd(float[] a, int a0, long b, int depth, float[] c, int c0, int stride) {
    float[] panel = new float[depth * COLUMNS];
    NativeFloats.read(b, panel, 0, panel.length);
    for (int row = 0; row < ROWS; row += 2) {
      // The last pair of an odd number of rows would overlap: take the row twice, store it once.
      int second = Math.min(row + 1, ROWS - 1);
      for (int column = 0; column < COLUMNS; column += 4) {
        multiplyAdd(
            a,
            a0 + row,
            a0 + second,
            panel,
            column,
            depth,
            c,
            c0 + row * stride + column,
            c0 + second * stride + column);
      }
    }
  }

  private static void multiplyAdd(
      float[] a, int a0, int a1, float[] b, int column, int depth, float[] c, int c0, int c1) {
    float s00 = 0;
    float s01 = 0;
    float s02 = 0;
    float s03 = 0;
    float s10 = 0;
    float s11 = 0;
    float s12 = 0;
    float s13 = 0;
    for (int k = 0; k < depth; k++) {
      float x = a[a0 + k * ROWS];
      float y = a[a1 + k * ROWS];
      int at = column + k * COLUMNS;
      s00 += x * b[at];
      s01 += x * b[at + 1];
      s02 += x * b[at + 2];
      s03 += x * b[at + 3];
      s10 += y * b[at];
      s11 += y * b[at + 1];
      s12 += y * b[at + 2];
      s13 += y * b[at + 3];
    }
    c[c0] += s00;
    c[c0 + 1] += s01;
    c[c0 + 2] += s02;
    c[c0 + 3] += s03;
    if (c1 != c0) {
      c[c1] += s10;
      c[c1 + 1] += s11;
      c[c1 + 2] += s12;
      c[c1 + 3] += s13;
    }
  }

  static void activate(Activation activation, float[] x, int offset, int count) {
    for (int i = offset; i < offset + count; i++) {
      x[i] = activate(activation, x[i]);
    }
  }

  private static float activate(Activation activation, float x) {
    return switch (activation) {
      case IDENTITY -> x;
      case GELU -> 0.5f * x * (1 + erf(x * 0.70710677f));
      case GELU_TANH -> 0.5f * x * (1 + tanh(0.7978846f * x * (1 + 0.044715f * x * x)));
      case QUICK_GELU -> x / (1 + exp(-1.702f * x));
      case RELU -> Math.max(x, 0);
      case SILU -> x / (1 + exp(-x));
      case TANH -> tanh(x);
      case SIGMOID -> 1 / (1 + exp(-x));
    };
  }

  static void layerNorm(
      float[] input, int at, float[] weight, float[] bias, float epsilon, float[] output) {
    int width = weight.length;
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += input[at + i];
    }
    float mean = (float) (sum / width);
    double squares = 0;
    for (int i = 0; i < width; i++) {
      float d = input[at + i] - mean;
      squares += d * d;
    }
    float inverse = (float) (1 / Math.sqrt(squares / width + epsilon));
    for (int i = 0; i < width; i++) {
      output[at + i] = (input[at + i] - mean) * inverse * weight[i] + bias[i];
    }
  }

  static void softmax(float[] scores, int keys, long panel, float[] inverse) {
    for (int column = 0; column < COLUMNS; column++) {
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

  private static float exp(float x) {
    float clamped = Math.max(-87.33f, Math.min(88.37f, x));
    float n = Math.round(clamped * VectorMath.LOG2_E);
    float r = clamped - n * VectorMath.LN2_HIGH - n * VectorMath.LN2_LOW;
    float p = VectorMath.EXP[0];
    for (int i = 1; i < VectorMath.EXP.length; i++) {
      p = p * r + VectorMath.EXP[i];
    }
    return (p * r * r + r + 1) * Float.intBitsToFloat(((int) n + 127) << 23);
  }

  private static float erf(float x) {
    float a = Math.max(-4f, Math.min(4f, x));
    float z = a * a;
    return a * polynomial(VectorMath.ERF_NUMERATOR, z) / polynomial(VectorMath.ERF_DENOMINATOR, z);
  }

  private static float tanh(float x) {
    float a = Math.max(-9f, Math.min(9f, x));
    float z = a * a;
    return a
        * polynomial(VectorMath.TANH_NUMERATOR, z)
        / polynomial(VectorMath.TANH_DENOMINATOR, z);
  }

  private static float polynomial(float[] coefficients, float z) {
    float p = coefficients[0];
    for (int i = 1; i < coefficients.length; i++) {
      p = p * z + coefficients[i];
    }
    return p;
  }
}
