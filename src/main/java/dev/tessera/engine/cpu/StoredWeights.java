package dev.tessera.engine.cpu;

import dev.tessera.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer's parameters as a checkpoint stores them, with what is folded into them: a
 * LayerScale, because (W·x + b)·s = (sW)·x + sb.
 *
 * @param weight {@code [out, in]}, of any floating type
 * @param bias {@code [out]} or null for zeros
 * @param scale {@code [out]} or null for ones
 */
record StoredWeights(Tensor weight, float @Nullable [] bias, float @Nullable [] scale) {
  static StoredWeights of(Tensor weight, @Nullable Tensor bias, @Nullable Tensor scale) {
    return new StoredWeights(
        weight, bias == null ? null : bias.toFloats(), scale == null ? null : scale.toFloats());
  }

  int out() {
    return weight.shape().extent(0);
  }

  int in() {
    return weight.shape().extent(1);
  }

  /** Copies {@code count} scaled rows of the weights, as floats. */
  void copyRows(int first, int count, float[] target) {
    int in = in();
    weight.copyTo((long) first * in, target, 0, count * in);
    for (int row = 0; scale != null && row < count; row++) {
      float factor = scale[first + row];
      for (int k = row * in; k < (row + 1) * in; k++) {
        target[k] *= factor;
      }
    }
  }

  /** The scaled bias, padded with zeros to {@code length}. */
  float[] paddedBias(int length) {
    float[] padded = new float[length];
    for (int i = 0; bias != null && i < bias.length; i++) {
      padded[i] = bias[i] * (scale == null ? 1 : scale[i]);
    }
    return padded;
  }
}
