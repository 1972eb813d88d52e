package dev.tessera.engine.scalar;

import dev.tessera.engine.BicubicGrid;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import org.jspecify.annotations.Nullable;

/** Each gradient as its formula says, accumulated in double and rounded once. */
final class ScalarGradients {
  private ScalarGradients() {}

  /** Stores the outputs of {@code op}; {@code values} holds every value computed so far, by id. */
  static void execute(GradientOp op, float[][] values) {
    switch (op) {
      case GradientOp.LayerNorm norm -> layerNorm(norm, values);
      case GradientOp.RmsNorm norm -> rmsNorm(norm, values);
      case GradientOp.Attention attention -> ScalarAttentionGradient.execute(attention, values);
      default -> values[op.output().id()] = single(op, values);
    }
  }

  private static float[] single(GradientOp op, float[][] values) {
    float[] g = values[op.inputs().getFirst().id()];
    return switch (op) {
      case GradientOp.LinearInput linear -> linearInput(linear, values);
      case GradientOp.LinearWeight linear -> linearWeight(linear, values);
      case GradientOp.SumLeading sum -> sumLeading(sum, g);
      case GradientOp.Activate a ->
          activate(a.activation(), values[a.input().id()], values[a.gradient().id()]);
      case GradientOp.Gated gated ->
          gated(gated, values[gated.input().id()], values[gated.gradient().id()]);
      case GradientOp.L2Normalize norm ->
          l2Normalize(norm, values[norm.input().id()], values[norm.gradient().id()]);
      case GradientOp.Softmax s -> softmax(s, g, values[s.gradient().id()]);
      case GradientOp.LogSoftmax s -> logSoftmax(s, g, values[s.gradient().id()]);
      case GradientOp.CrossEntropy loss -> crossEntropy(loss, values);
      case GradientOp.MeanSquaredError loss -> meanSquaredError(loss, values);
      case GradientOp.Pad pad -> pad(pad, g);
      case GradientOp.SpreadTokens spread -> spreadTokens(spread, g);
      case GradientOp.Patches patches -> patches(patches, g);
      case GradientOp.ResizePositions(Op.ResizePositions resize, Value _, Value _) ->
          BicubicGrid.transposed(resize, g);
      case GradientOp.Embedding embedding ->
          embedding(embedding, g, values[embedding.gradient().id()]);
      case GradientOp.Norm norm -> norm(norm, values);
      case GradientOp.LayerNorm _, GradientOp.RmsNorm _, GradientOp.Attention _ ->
          throw new AssertionError("has several outputs");
    };
  }

  private static float[] linearInput(GradientOp.LinearInput op, float[][] values) {
    float[] g = values[op.gradient().id()];
    float[] weight = values[op.weight().id()];
    float @Nullable [] residual = op.residual() == null ? null : values[op.residual().id()];
    int in = op.output().shape().last();
    int out = op.gradient().shape().last();
    float[] y = new float[(int) op.output().shape().elements()];
    for (int i = 0; i < y.length; i++) {
      double sum = residual == null ? 0 : residual[i];
      for (int n = 0; n < out; n++) {
        sum += (double) g[i / in * out + n] * weight[n * in + i % in];
      }
      y[i] = (float) sum;
    }
    return y;
  }

  private static float[] linearWeight(GradientOp.LinearWeight op, float[][] values) {
    float[] g = values[op.gradient().id()];
    float[] x = values[op.input().id()];
    int in = op.input().shape().last();
    int out = op.gradient().shape().last();
    int rows = x.length / in;
    float[] y = new float[out * in];
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      for (int row = 0; row < rows; row++) {
        sum += (double) g[row * out + i / in] * x[row * in + i % in];
      }
      y[i] = (float) sum;
    }
    return y;
  }

  private static float[] sumLeading(GradientOp.SumLeading op, float[] x) {
    float[] y = new float[(int) op.output().shape().elements()];
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      for (int from = i; from < x.length; from += y.length) {
        sum += x[from];
      }
      y[i] = (float) sum;
    }
    return y;
  }

  private static float[] activate(Activation activation, float[] x, float[] g) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) (g[i] * derivative(activation, x[i]));
    }
    return y;
  }

  /** The derivative of a non-linearity, in double precision. */
  static double derivative(Activation activation, double x) {
    return switch (activation) {
      case IDENTITY -> 1;
      case GELU ->
          0.5 * (1 + Erf.erf(x / Math.sqrt(2)))
              + x * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
      case GELU_TANH -> {
        double slope = Math.sqrt(2 / Math.PI);
        double t = Math.tanh(slope * (x + 0.044715 * x * x * x));
        yield 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope * (1 + 3 * 0.044715 * x * x);
      }
      case QUICK_GELU -> {
        double s = 1 / (1 + Math.exp(-1.702 * x));
        yield s + 1.702 * x * s * (1 - s);
      }
      case RELU -> x > 0 ? 1 : 0;
      case SILU -> {
        double s = 1 / (1 + Math.exp(-x));
        yield s + x * s * (1 - s);
      }
      case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
      case SIGMOID -> {
        double s = 1 / (1 + Math.exp(-x));
        yield s * (1 - s);
      }
    };
  }

  private static float[] gated(GradientOp.Gated op, float[] x, float[] g) {
    int half = op.gradient().shape().last();
    float[] y = new float[x.length];
    for (int i = 0; i < g.length; i++) {
      int at = i / half * 2 * half + i % half;
      y[at] = (float) (g[i] * derivative(op.activation(), x[at]) * x[at + half]);
      y[at + half] = (float) (g[i] * ScalarKernels.activate(op.activation(), x[at]));
    }
    return y;
  }

  /** With x̂ the normalised row and h = g∘w: dx = (h − mean(h) − x̂·mean(h∘x̂))/σ. */
  private static void layerNorm(GradientOp.LayerNorm op, float[][] values) {
    float[] x = values[op.input().id()];
    float[] weight = values[op.weight().id()];
    float[] g = values[op.gradient().id()];
    float @Nullable [] residual = op.residual() == null ? null : values[op.residual().id()];
    int width = weight.length;
    float[] dx = new float[x.length];
    double[] dw = new double[width];
    double[] db = new double[width];
    double[] normal = new double[width];
    for (int row = 0; row < x.length; row += width) {
      double mean = 0;
      for (int i = 0; i < width; i++) {
        mean += x[row + i];
      }
      mean /= width;
      double variance = 0;
      for (int i = 0; i < width; i++) {
        variance += (x[row + i] - mean) * (x[row + i] - mean);
      }
      double inverse = 1 / Math.sqrt(variance / width + op.epsilon());
      double sum = 0;
      double product = 0;
      for (int i = 0; i < width; i++) {
        normal[i] = (x[row + i] - mean) * inverse;
        double h = (double) g[row + i] * weight[i];
        sum += h;
        product += h * normal[i];
        dw[i] += g[row + i] * normal[i];
        db[i] += g[row + i];
      }
      for (int i = 0; i < width; i++) {
        double h = (double) g[row + i] * weight[i];
        double d = (h - sum / width - normal[i] * product / width) * inverse;
        dx[row + i] = (float) (d + (residual == null ? 0 : residual[row + i]));
      }
    }
    values[op.output().id()] = dx;
    values[op.weightGradient().id()] = rounded(dw);
    values[op.biasGradient().id()] = rounded(db);
  }

  /** With r = 1/√(mean(x²) + ε) and h = g∘w: dx = r·(h − x·r²·mean(h∘x)). */
  private static void rmsNorm(GradientOp.RmsNorm op, float[][] values) {
    float[] x = values[op.input().id()];
    float[] weight = values[op.weight().id()];
    float[] g = values[op.gradient().id()];
    int width = weight.length;
    float[] dx = new float[x.length];
    double[] dw = new double[width];
    for (int row = 0; row < x.length; row += width) {
      double inverse = ScalarRows.inverseRootMeanSquare(x, row, width, op.epsilon());
      double product = 0;
      for (int i = 0; i < width; i++) {
        product += (double) g[row + i] * weight[i] * x[row + i];
        dw[i] += g[row + i] * x[row + i] * inverse;
      }
      for (int i = 0; i < width; i++) {
        double h = (double) g[row + i] * weight[i];
        dx[row + i] = (float) (inverse * (h - x[row + i] * inverse * inverse * product / width));
      }
    }
    values[op.output().id()] = dx;
    values[op.weightGradient().id()] = rounded(dw);
  }

  /** With y = x/‖x‖: dx = (g − y·(g·y))/‖x‖; g/ε where the length is below ε. */
  private static float[] l2Normalize(GradientOp.L2Normalize op, float[] x, float[] g) {
    int width = op.output().shape().last();
    float[] dx = new float[x.length];
    for (int row = 0; row < x.length; row += width) {
      double length = ScalarRows.length(x, row, width);
      double product = 0;
      for (int i = row; i < row + width; i++) {
        product += (double) g[i] * x[i];
      }
      double pull = length > op.epsilon() ? product / (length * length) : 0;
      for (int i = row; i < row + width; i++) {
        dx[i] = (float) ((g[i] - x[i] * pull) / Math.max(length, op.epsilon()));
      }
    }
    return dx;
  }

  private static float[] softmax(GradientOp.Softmax op, float[] p, float[] g) {
    int width = op.output().shape().last();
    float[] dx = new float[p.length];
    for (int row = 0; row < p.length; row += width) {
      double product = 0;
      for (int i = row; i < row + width; i++) {
        product += (double) p[i] * g[i];
      }
      for (int i = row; i < row + width; i++) {
        dx[i] = (float) (p[i] * (g[i] - product));
      }
    }
    return dx;
  }

  private static float[] logSoftmax(GradientOp.LogSoftmax op, float[] logP, float[] g) {
    int width = op.output().shape().last();
    float[] dx = new float[logP.length];
    for (int row = 0; row < logP.length; row += width) {
      double sum = 0;
      for (int i = row; i < row + width; i++) {
        sum += g[i];
      }
      for (int i = row; i < row + width; i++) {
        dx[i] = (float) (g[i] - Math.exp(logP[i]) * sum);
      }
    }
    return dx;
  }

  /** (softmax·Σt − t)·g/n for each row with targets t. */
  private static float[] crossEntropy(GradientOp.CrossEntropy op, float[][] values) {
    Op.CrossEntropy loss = op.loss();
    float[] logits = values[loss.logits().id()];
    float[] targets = values[loss.targets().id()];
    float g = values[op.gradient().id()][0];
    int classes = loss.logits().shape().last();
    int rows = logits.length / classes;
    double factor = (double) g / loss.counted(targets);
    float[] dx = new float[logits.length];
    for (int row = 0; row < rows; row++) {
      double normaliser = ScalarRows.logSumExp(logits, row * classes, classes);
      double total = 0;
      for (int c = 0; c < classes; c++) {
        total += ScalarRows.target(loss, targets, row, c, classes);
      }
      for (int c = 0; c < classes; c++) {
        int at = row * classes + c;
        double p = Math.exp(logits[at] - normaliser);
        double target = ScalarRows.target(loss, targets, row, c, classes);
        dx[at] = (float) ((p * total - target) * factor);
      }
    }
    return dx;
  }

  private static float[] meanSquaredError(GradientOp.MeanSquaredError op, float[][] values) {
    float[] x = values[op.input().id()];
    float[] target = values[op.target().id()];
    double factor = 2.0 * values[op.gradient().id()][0] / x.length;
    float[] dx = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      dx[i] = (float) (((double) x[i] - target[i]) * factor);
    }
    return dx;
  }

  private static float[] pad(GradientOp.Pad op, float[] g) {
    Shape out = op.output().shape();
    int inner = out.stride(op.axis());
    int given = op.gradient().shape().extent(op.axis()) * inner;
    int stride = out.extent(op.axis()) * inner;
    float[] y = new float[(int) out.elements()];
    for (int from = 0, to = op.from() * inner; from < g.length; from += given, to += stride) {
      System.arraycopy(g, from, y, to, given);
    }
    return y;
  }

  private static float[] spreadTokens(GradientOp.SpreadTokens op, float[] g) {
    int tokens = op.output().shape().extent(1);
    int hidden = op.output().shape().last();
    float[] y = new float[(int) op.output().shape().elements()];
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) (g[i / (tokens * hidden) * hidden + i % hidden] / (double) tokens);
    }
    return y;
  }

  private static float[] patches(GradientOp.Patches op, float[] g) {
    Shape out = op.output().shape();
    int channels = out.extent(1);
    int height = out.extent(2);
    int width = out.extent(3);
    int columns = width / op.patchWidth();
    int rows = height / op.patchHeight();
    float[] y = new float[(int) out.elements()];
    int at = 0;
    for (int b = 0; b < out.extent(0); b++) {
      for (int patch = 0; patch < rows * columns; patch++) {
        int top = patch / columns * op.patchHeight();
        int left = patch % columns * op.patchWidth();
        for (int c = 0; c < channels; c++) {
          for (int row = top; row < top + op.patchHeight(); row++) {
            for (int x = left; x < left + op.patchWidth(); x++) {
              y[((b * channels + c) * height + row) * width + x] = g[at++];
            }
          }
        }
      }
    }
    return y;
  }

  private static float[] embedding(GradientOp.Embedding op, float[] ids, float[] g) {
    int width = op.output().shape().last();
    double[] sums = new double[(int) op.output().shape().elements()];
    for (int i = 0; i < g.length; i++) {
      int row = (int) ids[i / width];
      sums[row * width + i % width] += g[i];
    }
    return rounded(sums);
  }

  private static float[] norm(GradientOp.Norm op, float[][] values) {
    double squares = 0;
    for (Value gradient : op.gradients()) {
      for (float g : values[gradient.id()]) {
        squares += (double) g * g;
      }
    }
    double norm = Math.sqrt(squares);
    double factor = op.maximum() == 0 ? 1 : Math.min(1, op.maximum() / (norm + 1e-6));
    return new float[] {(float) norm, (float) factor};
  }

  static float[] rounded(double[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }
}
