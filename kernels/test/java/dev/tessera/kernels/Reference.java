package dev.tessera.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.Function;

/** The operations as plain loops in double precision, and gradients by differences. */
final class Reference {
  private Reference() {}

  static void assertClose(float[] actual, double[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) actual[i])
          .as("[%d]", i)
          .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
    }
  }

  static double[] doubles(float[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  /** The gradient of {@code Σ f(x)·upstream} by central differences. */
  static double[] gradient(Function<double[], double[]> f, float[] x, float[] upstream) {
    double[] at = doubles(x);
    double[] gradient = new double[x.length];
    double step = 1e-5;
    for (int i = 0; i < x.length; i++) {
      double here = at[i];
      at[i] = here + step;
      double above = dot(f.apply(at), upstream);
      at[i] = here - step;
      double below = dot(f.apply(at), upstream);
      at[i] = here;
      gradient[i] = (above - below) / (2 * step);
    }
    return gradient;
  }

  private static double dot(double[] y, float[] upstream) {
    double sum = 0;
    for (int i = 0; i < y.length; i++) {
      sum += y[i] * upstream[i];
    }
    return sum;
  }

  /** {@code [m, k]·[k, n]}. */
  static double[] multiply(double[] a, double[] b, int m, int n, int k) {
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        for (int d = 0; d < k; d++) {
          c[i * n + j] += a[i * k + d] * b[d * n + j];
        }
      }
    }
    return c;
  }

  static float[] transpose(float[] a, int rows, int columns) {
    float[] t = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      t[i % columns * rows + i / columns] = a[i];
    }
    return t;
  }

  static double activate(int kind, double x) {
    return switch (kind) {
      case Activations.IDENTITY -> x;
      case Activations.GELU -> x * normal(x);
      case Activations.GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case Activations.QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case Activations.RELU -> Math.max(x, 0);
      case Activations.SILU -> x / (1 + Math.exp(-x));
      case Activations.TANH -> Math.tanh(x);
      case Activations.SIGMOID -> 1 / (1 + Math.exp(-x));
      default -> throw new IllegalArgumentException("activation " + kind);
    };
  }

  /** The distribution function of the normal distribution: Marsaglia's series (JSS 11(4), 2004). */
  private static double normal(double x) {
    if (Math.abs(x) > 8) {
      return x > 0 ? 1 : 0;
    }
    double term = x;
    double sum = x;
    for (int i = 3; Math.abs(term) > 1e-18; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  static double[] gated(int kind, double[] x, int width) {
    double[] y = new double[x.length / 2];
    for (int i = 0; i < y.length; i++) {
      int at = i / width * 2 * width + i % width;
      y[i] = activate(kind, x[at]) * x[at + width];
    }
    return y;
  }

  static double[] layerNorm(double[] x, double[] weight, double[] bias, double epsilon) {
    int width = weight.length;
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += width) {
      double mean = 0;
      for (int i = 0; i < width; i++) {
        mean += x[at + i] / width;
      }
      double variance = 0;
      for (int i = 0; i < width; i++) {
        variance += (x[at + i] - mean) * (x[at + i] - mean) / width;
      }
      for (int i = 0; i < width; i++) {
        y[at + i] = (x[at + i] - mean) / Math.sqrt(variance + epsilon) * weight[i] + bias[i];
      }
    }
    return y;
  }

  static double[] rmsNorm(double[] x, double[] weight, double epsilon) {
    int width = weight.length;
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += width) {
      double squares = 0;
      for (int i = 0; i < width; i++) {
        squares += x[at + i] * x[at + i] / width;
      }
      for (int i = 0; i < width; i++) {
        y[at + i] = x[at + i] / Math.sqrt(squares + epsilon) * weight[i];
      }
    }
    return y;
  }

  /** The sizes and the visible keys of an attention; a mask of null hides nothing. */
  record Heads(
      int batch, int heads, int queries, int keys, int width, boolean causal, float[] mask) {
    float scale() {
      return (float) (1 / Math.sqrt(width));
    }

    boolean sees(int image, int query, int key) {
      return !(causal && key > query) && (mask == null || mask[image * keys + key] != 0);
    }

    int flags() {
      return (causal ? Attention.CAUSAL : 0) + (mask == null ? 0 : Attention.MASKED);
    }

    int queryAt(int image, int query, int head) {
      return ((image * queries + query) * heads + head) * width;
    }

    int keyAt(int image, int key, int head) {
      return ((image * keys + key) * heads + head) * width;
    }

    /** {@code [batch, heads, queries, keys]}. */
    double[] probabilities(double[] q, double[] k) {
      double[] p = new double[batch * heads * queries * keys];
      for (int row = 0; row < batch * heads * queries; row++) {
        int query = row % queries;
        int head = row / queries % heads;
        int image = row / queries / heads;
        double sum = 0;
        double max = -1e30;
        for (int pass = 0; pass < 2; pass++) {
          for (int key = 0; key < keys; key++) {
            double score = 0;
            for (int d = 0; d < width; d++) {
              score += q[queryAt(image, query, head) + d] * k[keyAt(image, key, head) + d];
            }
            score = sees(image, query, key) ? score * scale() : -1e30;
            if (pass == 0) {
              max = Math.max(max, score);
            } else {
              p[row * keys + key] = Math.exp(score - max);
              sum += p[row * keys + key];
            }
          }
        }
        for (int key = 0; key < keys; key++) {
          p[row * keys + key] /= sum;
        }
      }
      return p;
    }

    double[] attention(double[] q, double[] k, double[] v) {
      double[] p = probabilities(q, k);
      double[] y = new double[q.length];
      for (int row = 0; row < batch * heads * queries; row++) {
        int query = row % queries;
        int head = row / queries % heads;
        int image = row / queries / heads;
        for (int key = 0; key < keys; key++) {
          for (int d = 0; d < width; d++) {
            y[queryAt(image, query, head) + d] +=
                p[row * keys + key] * v[keyAt(image, key, head) + d];
          }
        }
      }
      return y;
    }
  }

  static double[] logSoftmax(double[] x, int classes) {
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += classes) {
      double sum = 0;
      for (int i = 0; i < classes; i++) {
        sum += Math.exp(x[at + i]);
      }
      for (int i = 0; i < classes; i++) {
        y[at + i] = x[at + i] - Math.log(sum);
      }
    }
    return y;
  }
}
