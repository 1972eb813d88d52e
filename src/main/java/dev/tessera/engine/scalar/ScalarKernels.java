package dev.tessera.engine.scalar;

import dev.tessera.engine.BicubicGrid;
import dev.tessera.engine.Executable;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Each operation as its definition says, accumulated in double and rounded once. */
public final class ScalarKernels {
  private ScalarKernels() {}

  /** Stores what {@code op} computes; {@code values} holds every value computed so far, by id. */
  public static void execute(Op op, float[][] values) {
    switch (op) {
      case GradientOp gradient -> ScalarGradients.execute(gradient, values);
      case UpdateOp update -> ScalarUpdates.execute(update, values);
      default -> values[op.output().id()] = forward(op, values);
    }
  }

  private static float[] forward(Op op, float[][] values) {
    return switch (op) {
      case Op.Patches patches -> patches(patches, values[patches.input().id()]);
      case Op.Linear linear -> linear(linear, values);
      case Op.Embedding embedding -> embedding(embedding, values);
      case Op.PositionOf position -> positionOf(position, values[position.ids().id()]);
      case Op.LayerNorm norm -> layerNorm(norm, values);
      case Op.Activate(Activation activation, Value input, Value _) ->
          activate(activation, values[input.id()]);
      case Op.Gated gated -> gated(gated, values[gated.input().id()]);
      case Op.Add(Value left, Value right, Value _) ->
          zip(values[left.id()], values[right.id()], Double::sum);
      case Op.Multiply(Value left, Value right, Value _) ->
          zip(values[left.id()], values[right.id()], (a, b) -> a * b);
      case Op.Scale(Value input, float factor, Value _) ->
          zip(values[input.id()], new float[] {factor}, (a, b) -> a * b);
      case Op.Attention attention -> attention(attention, values);
      case Op.AttentionProbabilities p ->
          probabilities(p.query(), p.key(), p.keyMask(), p.heads(), p.scale(), p.causal(), values);
      case Op.Concat concat -> concat(concat, values);
      case Op.ConcatFeatures concat -> concatFeatures(concat, values);
      case Op.Slice slice -> slice(slice, values[slice.input().id()]);
      case Op.MeanTokens mean -> meanTokens(mean, values[mean.input().id()]);
      case Op.Reshape(Value input, Value _) -> values[input.id()];
      case Op.ResizePositions resize -> BicubicGrid.resize(resize, values[resize.input().id()]);
      case Op.Fill(float value, Value output) -> fill(value, output);
      case Op.RmsNorm norm ->
          ScalarRows.rmsNorm(norm, values[norm.input().id()], values[norm.weight().id()]);
      case Op.L2Normalize norm -> ScalarRows.l2Normalize(norm, values[norm.input().id()]);
      case Op.Softmax softmax -> ScalarRows.softmax(softmax, values[softmax.input().id()]);
      case Op.LogSoftmax softmax -> ScalarRows.logSoftmax(softmax, values[softmax.input().id()]);
      case Op.CrossEntropy loss ->
          ScalarRows.crossEntropy(loss, values[loss.logits().id()], values[loss.targets().id()]);
      case Op.MeanSquaredError loss ->
          ScalarRows.meanSquaredError(values[loss.input().id()], values[loss.target().id()]);
      case Op.Dropout dropout ->
          ScalarRows.dropout(dropout, values[dropout.input().id()], values[dropout.seed().id()]);
      case GradientOp _, UpdateOp _ -> throw new AssertionError("computes several values");
    };
  }

  private static float[] fill(float value, Value output) {
    float[] y = new float[(int) output.shape().elements()];
    Arrays.fill(y, value);
    return y;
  }

  private static float[] patches(Op.Patches op, float[] pixels) {
    Shape in = op.input().shape();
    int channels = in.extent(1);
    int height = in.extent(2);
    int width = in.extent(3);
    int columns = width / op.patchWidth();
    int rows = height / op.patchHeight();
    float[] out = new float[(int) op.output().shape().elements()];
    int at = 0;
    for (int b = 0; b < in.extent(0); b++) {
      for (int patch = 0; patch < rows * columns; patch++) {
        int top = patch / columns * op.patchHeight();
        int left = patch % columns * op.patchWidth();
        for (int c = 0; c < channels; c++) {
          for (int y = top; y < top + op.patchHeight(); y++) {
            for (int x = left; x < left + op.patchWidth(); x++) {
              out[at++] = pixels[((b * channels + c) * height + y) * width + x];
            }
          }
        }
      }
    }
    return out;
  }

  private static float[] linear(Op.Linear op, float[][] values) {
    float[] x = values[op.input().id()];
    float[] weight = values[op.weight().id()];
    float @Nullable [] bias = op.bias() == null ? null : values[op.bias().id()];
    Value scale = op.epilogue().scale();
    Value residual = op.epilogue().residual();
    int in = op.input().shape().last();
    int out = op.output().shape().last();
    int rows = (int) op.output().shape().rows();
    float[] y = new float[rows * out];
    for (int r = 0; r < rows; r++) {
      for (int n = 0; n < out; n++) {
        double sum = bias == null ? 0 : bias[n];
        for (int k = 0; k < in; k++) {
          sum += (double) x[r * in + k] * weight[n * in + k];
        }
        sum = activate(op.epilogue().activation(), sum);
        if (scale != null) {
          sum *= values[scale.id()][n];
        }
        if (residual != null) {
          sum += values[residual.id()][r * out + n];
        }
        y[r * out + n] = (float) sum;
      }
    }
    return y;
  }

  private static float[] embedding(Op.Embedding op, float[][] values) {
    float[] ids = values[op.ids().id()];
    float[] table = values[op.table().id()];
    int rows = op.table().shape().extent(0);
    int width = op.table().shape().last();
    float[] y = new float[ids.length * width];
    for (int i = 0; i < ids.length; i++) {
      int from = Executable.row(ids[i], rows) * width;
      System.arraycopy(table, from, y, i * width, width);
    }
    return y;
  }

  private static float[] positionOf(Op.PositionOf op, float[] ids) {
    int tokens = op.ids().shape().last();
    float[] y = new float[op.output().shape().extent(0)];
    for (int row = 0; row < y.length; row++) {
      int at = row * tokens;
      int found = at;
      for (int i = at + tokens - 1; i >= at; i--) {
        boolean better =
            op.wanted() == Op.PositionOf.LARGEST ? ids[i] >= ids[found] : ids[i] == op.wanted();
        found = better ? i : found;
      }
      y[row] = found;
    }
    return y;
  }

  private static float[] layerNorm(Op.LayerNorm op, float[][] values) {
    float[] x = values[op.input().id()];
    float[] weight = values[op.weight().id()];
    float[] bias = values[op.bias().id()];
    int width = weight.length;
    float[] y = new float[x.length];
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
      for (int i = 0; i < width; i++) {
        y[row + i] = (float) ((x[row + i] - mean) * inverse * weight[i] + bias[i]);
      }
    }
    return y;
  }

  private static float[] activate(Activation activation, float[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) activate(activation, x[i]);
    }
    return y;
  }

  /** One value of a non-linearity, in double precision. */
  public static double activate(Activation activation, double x) {
    return switch (activation) {
      case IDENTITY -> x;
      case GELU -> 0.5 * x * (1 + Erf.erf(x / Math.sqrt(2)));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case RELU -> Math.max(x, 0);
      case SILU -> x / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
    };
  }

  private static float[] gated(Op.Gated op, float[] x) {
    int half = op.output().shape().last();
    float[] y = new float[x.length / 2];
    for (int i = 0; i < y.length; i++) {
      int at = i / half * 2 * half + i % half;
      y[i] = (float) (activate(op.activation(), x[at]) * x[at + half]);
    }
    return y;
  }

  private interface Combination {
    double of(double left, double right);
  }

  private static float[] zip(float[] left, float[] right, Combination combination) {
    float[] y = new float[left.length];
    for (int i = 0; i < left.length; i++) {
      y[i] = (float) combination.of(left[i], right[i % right.length]);
    }
    return y;
  }

  private static float[] attention(Op.Attention op, float[][] values) {
    float[] p =
        probabilities(
            op.query(), op.key(), op.keyMask(), op.heads(), op.scale(), op.causal(), values);
    float[] v = values[op.value().id()];
    int batch = op.query().shape().extent(0);
    int queries = op.query().shape().extent(1);
    int keys = op.key().shape().extent(1);
    int hidden = op.query().shape().last();
    int width = hidden / op.heads();
    float[] y = new float[batch * queries * hidden];
    for (int b = 0; b < batch; b++) {
      for (int q = 0; q < queries; q++) {
        for (int column = 0; column < hidden; column++) {
          int row = ((b * op.heads() + column / width) * queries + q) * keys;
          double sum = 0;
          for (int k = 0; k < keys; k++) {
            sum += (double) p[row + k] * v[(b * keys + k) * hidden + column];
          }
          y[(b * queries + q) * hidden + column] = (float) sum;
        }
      }
    }
    return y;
  }

  static float[] probabilities(
      Value query,
      Value key,
      @Nullable Value keyMask,
      int heads,
      float scale,
      boolean causal,
      float[][] values) {
    float[] q = values[query.id()];
    float[] k = values[key.id()];
    float @Nullable [] mask = keyMask == null ? null : values[keyMask.id()];
    int batch = query.shape().extent(0);
    int queries = query.shape().extent(1);
    int keys = key.shape().extent(1);
    int hidden = query.shape().last();
    int width = hidden / heads;
    float[] p = new float[batch * heads * queries * keys];
    double[] row = new double[keys];
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < queries; i++) {
          double max = Double.NEGATIVE_INFINITY;
          for (int j = 0; j < keys; j++) {
            double dot = 0;
            for (int d = h * width; d < (h + 1) * width; d++) {
              dot += (double) q[(b * queries + i) * hidden + d] * k[(b * keys + j) * hidden + d];
            }
            boolean unseen = (causal && j > i) || (mask != null && mask[b * keys + j] == 0);
            row[j] = unseen ? -Float.MAX_VALUE : dot * scale;
            max = Math.max(max, row[j]);
          }
          double sum = 0;
          for (int j = 0; j < keys; j++) {
            row[j] = Math.exp(row[j] - max);
            sum += row[j];
          }
          for (int j = 0; j < keys; j++) {
            p[((b * heads + h) * queries + i) * keys + j] = (float) (row[j] / sum);
          }
        }
      }
    }
    return p;
  }

  private static float[] concat(Op.Concat op, float[][] values) {
    int batch = op.output().shape().extent(0);
    float[] y = new float[(int) op.output().shape().elements()];
    int at = 0;
    for (int b = 0; b < batch; b++) {
      for (Value part : op.parts()) {
        int length = part.shape().extent(1) * part.shape().extent(2);
        int from = part.shape().extent(0) == 1 ? 0 : b * length;
        System.arraycopy(values[part.id()], from, y, at, length);
        at += length;
      }
    }
    return y;
  }

  private static float[] concatFeatures(Op.ConcatFeatures op, float[][] values) {
    int left = op.left().shape().last();
    int right = op.right().shape().last();
    int rows = (int) op.output().shape().rows();
    float[] y = new float[rows * (left + right)];
    for (int r = 0; r < rows; r++) {
      int to = r * (left + right);
      System.arraycopy(values[op.left().id()], r * left, y, to, left);
      System.arraycopy(values[op.right().id()], r * right, y, to + left, right);
    }
    return y;
  }

  private static float[] slice(Op.Slice op, float[] x) {
    Shape in = op.input().shape();
    int inner = in.stride(op.axis());
    int taken = op.output().shape().extent(op.axis()) * inner;
    int stride = in.extent(op.axis()) * inner;
    float[] y = new float[(int) op.output().shape().elements()];
    for (int to = 0, from = op.from() * inner; to < y.length; to += taken, from += stride) {
      System.arraycopy(x, from, y, to, taken);
    }
    return y;
  }

  private static float[] meanTokens(Op.MeanTokens op, float[] x) {
    int tokens = op.input().shape().extent(1);
    int hidden = op.input().shape().last();
    float[] y = new float[(int) op.output().shape().elements()];
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      for (int t = 0; t < tokens; t++) {
        sum += x[(i / hidden * tokens + t) * hidden + i % hidden];
      }
      y[i] = (float) (sum / tokens);
    }
    return y;
  }
}
