package dev.tessera.engine.scalar;

import dev.tessera.graph.GradientOp;

/**
 * The gradient of attention. With probabilities P, dP = dO·Vᵀ and dS = P∘(dP − Σ P∘dP) by rows: dQ
 * = scale·dS·K, dK = scale·dSᵀ·Q and dV = Pᵀ·dO.
 */
final class ScalarAttentionGradient {
  private ScalarAttentionGradient() {}

  static void execute(GradientOp.Attention op, float[][] values) {
    float[] p =
        ScalarKernels.probabilities(
            op.query(), op.key(), op.keyMask(), op.heads(), op.scale(), op.causal(), values);
    float[] q = values[op.query().id()];
    float[] k = values[op.key().id()];
    float[] v = values[op.value().id()];
    float[] g = values[op.gradient().id()];
    int batch = op.query().shape().extent(0);
    int queries = op.query().shape().extent(1);
    int keys = op.key().shape().extent(1);
    int hidden = op.query().shape().last();
    int width = hidden / op.heads();
    double[] dq = new double[q.length];
    double[] dk = new double[k.length];
    double[] dv = new double[v.length];
    double[] dp = new double[keys];
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < op.heads(); h++) {
        for (int i = 0; i < queries; i++) {
          int row = (b * queries + i) * hidden + h * width;
          int pRow = ((b * op.heads() + h) * queries + i) * keys;
          double sum = 0;
          for (int j = 0; j < keys; j++) {
            int other = (b * keys + j) * hidden + h * width;
            dp[j] = 0;
            for (int d = 0; d < width; d++) {
              dp[j] += (double) g[row + d] * v[other + d];
              dv[other + d] += (double) p[pRow + j] * g[row + d];
            }
            sum += p[pRow + j] * dp[j];
          }
          for (int j = 0; j < keys; j++) {
            int other = (b * keys + j) * hidden + h * width;
            double ds = p[pRow + j] * (dp[j] - sum) * op.scale();
            for (int d = 0; d < width; d++) {
              dq[row + d] += ds * k[other + d];
              dk[other + d] += ds * q[row + d];
            }
          }
        }
      }
    }
    values[op.output().id()] = ScalarGradients.rounded(dq);
    values[op.keyGradient().id()] = ScalarGradients.rounded(dk);
    values[op.valueGradient().id()] = ScalarGradients.rounded(dv);
  }
}
