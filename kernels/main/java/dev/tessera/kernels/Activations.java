package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Elementwise non-linearities, and their products with a gate. */
public final class Activations {
  /** x. */
  public static final int IDENTITY = 0;

  /** x·Φ(x), Φ the distribution function of the normal distribution (arXiv:1606.08415). */
  public static final int GELU = 1;

  /** 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  public static final int GELU_TANH = 2;

  /** x·σ(1.702·x). */
  public static final int QUICK_GELU = 3;

  /** max(x, 0). */
  public static final int RELU = 4;

  /** x·σ(x). */
  public static final int SILU = 5;

  public static final int TANH = 6;
  public static final int SIGMOID = 7;

  /** Where e^|x| is still finite, and σ(x) is 0 or 1 in single precision. */
  private static final float LARGEST_EXPONENT = 80f;

  private static final float SQRT_2_OVER_PI = 0.7978846f;

  private Activations() {}

  /** {@code y[i] = f(x[i])}; one work-item for each of {@code n} elements. */
  public static void activate(KernelContext context, FloatArray x, FloatArray y, int n, int kind) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, apply(kind, x.get(i)));
    }
  }

  /** {@code dx[i] = f'(x[i])·dy[i]}; one work-item for each of {@code n} elements. */
  public static void activateBackward(
      KernelContext context, FloatArray x, FloatArray dy, FloatArray dx, int n, int kind) {
    int i = context.globalIdx;
    if (i < n) {
      dx.set(i, derivative(kind, x.get(i)) * dy.get(i));
    }
  }

  /**
   * {@code y = f(a) ∘ b} for the halves of each row (a, b), as in SwiGLU (arXiv:2002.05202).
   *
   * <p>x is {@code [rows, 2·width]}, y {@code [rows, width]}; one work-item for each element of y.
   */
  public static void gated(
      KernelContext context, FloatArray x, FloatArray y, int rows, int width, int kind) {
    int i = context.globalIdx;
    if (i < rows * width) {
      int at = i / width * 2 * width + i % width;
      y.set(i, apply(kind, x.get(at)) * x.get(at + width));
    }
  }

  /** The gradient of {@link #gated}: dx is {@code [rows, 2·width]}; one work-item an element. */
  public static void gatedBackward(
      KernelContext context,
      FloatArray x,
      FloatArray dy,
      FloatArray dx,
      int rows,
      int width,
      int kind) {
    int i = context.globalIdx;
    if (i < rows * width) {
      int at = i / width * 2 * width + i % width;
      float a = x.get(at);
      float b = x.get(at + width);
      float gradient = dy.get(i);
      dx.set(at, derivative(kind, a) * b * gradient);
      dx.set(at + width, apply(kind, a) * gradient);
    }
  }

  /** f(x) for the non-linearity {@code kind}. */
  static float apply(int kind, float x) {
    float y = x;
    if (kind == GELU) {
      y = 0.5f * x * (1f + erf(x * 0.70710677f));
    } else if (kind == GELU_TANH) {
      y = x * sigmoid(2f * SQRT_2_OVER_PI * (x + 0.044715f * x * x * x)); // (1 + tanh(u))/2
    } else if (kind == QUICK_GELU) {
      y = x * sigmoid(1.702f * x);
    } else if (kind == RELU) {
      y = TornadoMath.max(x, 0f);
    } else if (kind == SILU) {
      y = x * sigmoid(x);
    } else if (kind == TANH) {
      y = TornadoMath.tanh(x);
    } else if (kind == SIGMOID) {
      y = sigmoid(x);
    }
    return y;
  }

  /** f'(x) for the non-linearity {@code kind}; 0 where RELU has none. */
  static float derivative(int kind, float x) {
    float y = 1f;
    if (kind == GELU) {
      float density = 0.3989423f * TornadoMath.exp(-0.5f * x * x);
      y = 0.5f * (1f + erf(x * 0.70710677f)) + x * density;
    } else if (kind == GELU_TANH) {
      float s = sigmoid(2f * SQRT_2_OVER_PI * (x + 0.044715f * x * x * x));
      y = s + x * s * (1f - s) * 2f * SQRT_2_OVER_PI * (1f + 0.134145f * x * x);
    } else if (kind == QUICK_GELU) {
      float s = sigmoid(1.702f * x);
      y = s + 1.702f * x * s * (1f - s);
    } else if (kind == RELU) {
      y = x > 0f ? 1f : 0f;
    } else if (kind == SILU) {
      float s = sigmoid(x);
      y = s * (1f + x * (1f - s));
    } else if (kind == TANH) {
      float t = TornadoMath.tanh(x);
      y = 1f - t * t;
    } else if (kind == SIGMOID) {
      float s = sigmoid(x);
      y = s * (1f - s);
    }
    return y;
  }

  static float sigmoid(float x) {
    float bounded = TornadoMath.min(TornadoMath.max(x, -LARGEST_EXPONENT), LARGEST_EXPONENT);
    return 1f / (1f + TornadoMath.exp(-bounded));
  }

  /** The error function within 2e-7: the cpu engine's quotient of polynomials, fitted below 4. */
  static float erf(float x) {
    float a = TornadoMath.min(TornadoMath.max(x, -4f), 4f);
    float z = a * a;
    float n = 1.9748254e-6f * z + 2.8803997e-4f;
    n = n * z + 0.0040036137f;
    n = n * z + 0.053467378f;
    n = n * z + 0.19624834f;
    n = n * z + 1.128379f;
    float d = 3.7480735e-5f * z + 0.0012163507f;
    d = d * z + 0.015444358f;
    d = d * z + 0.11647615f;
    d = d * z + 0.50725174f;
    d = d * z + 1f;
    return a * n / d;
  }
}
