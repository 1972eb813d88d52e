package dev.tessera.engine.scalar;

import dev.tessera.graph.Op;

/** Operations over whole rows, the losses included, forward. */
final class ScalarRows {
  private ScalarRows() {}

  static float[] rmsNorm(Op.RmsNorm op, float[] x, float[] weight) {
    int width = weight.length;
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += width) {
      double inverse = inverseRootMeanSquare(x, row, width, op.epsilon());
      for (int i = 0; i < width; i++) {
        y[row + i] = (float) (x[row + i] * inverse * weight[i]);
      }
    }
    return y;
  }

  static double inverseRootMeanSquare(float[] x, int row, int width, double epsilon) {
    double squares = 0;
    for (int i = row; i < row + width; i++) {
      squares += (double) x[i] * x[i];
    }
    return 1 / Math.sqrt(squares / width + epsilon);
  }

  static float[] l2Normalize(Op.L2Normalize op, float[] x) {
    int width = op.output().shape().last();
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += width) {
      double divisor = Math.max(length(x, row, width), op.epsilon());
      for (int i = row; i < row + width; i++) {
        y[i] = (float) (x[i] / divisor);
      }
    }
    return y;
  }

  static double length(float[] x, int row, int width) {
    double squares = 0;
    for (int i = row; i < row + width; i++) {
      squares += (double) x[i] * x[i];
    }
    return Math.sqrt(squares);
  }

  static float[] softmax(Op.Softmax op, float[] x) {
    int width = op.output().shape().last();
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += width) {
      double normaliser = logSumExp(x, row, width);
      for (int i = row; i < row + width; i++) {
        y[i] = (float) Math.exp(x[i] - normaliser);
      }
    }
    return y;
  }

  static float[] logSoftmax(Op.LogSoftmax op, float[] x) {
    int width = op.output().shape().last();
    float[] y = new float[x.length];
    for (int row = 0; row < x.length; row += width) {
      double normaliser = logSumExp(x, row, width);
      for (int i = row; i < row + width; i++) {
        y[i] = (float) (x[i] - normaliser);
      }
    }
    return y;
  }

  static double logSumExp(float[] x, int row, int width) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = row; i < row + width; i++) {
      max = Math.max(max, x[i]);
    }
    double sum = 0;
    for (int i = row; i < row + width; i++) {
      sum += Math.exp(x[i] - max);
    }
    return max + Math.log(sum);
  }

  static float[] crossEntropy(Op.CrossEntropy op, float[] logits, float[] targets) {
    int classes = op.logits().shape().last();
    int rows = logits.length / classes;
    double sum = 0;
    for (int row = 0; row < rows; row++) {
      double normaliser = logSumExp(logits, row * classes, classes);
      for (int c = 0; c < classes; c++) {
        sum -= target(op, targets, row, c, classes) * (logits[row * classes + c] - normaliser);
      }
    }
    return new float[] {(float) (sum / op.counted(targets))};
  }

  /** What class {@code c} weighs in a row of {@link Op.CrossEntropy}; 0 in ignored rows. */
  static double target(Op.CrossEntropy op, float[] targets, int row, int c, int classes) {
    if (op.weighted()) {
      return targets[row * classes + c];
    }
    if (targets[row] < 0) {
      return 0;
    }
    double smoothing = op.smoothing();
    return (c == (int) targets[row] ? 1 - smoothing : 0) + smoothing / classes;
  }

  static float[] meanSquaredError(float[] x, float[] target) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double d = (double) x[i] - target[i];
      sum += d * d;
    }
    return new float[] {(float) (sum / x.length)};
  }

  static float[] dropout(Op.Dropout op, float[] x, float[] seed) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] * op.factor(seed[0], seed[1], i / op.run());
    }
    return y;
  }
}
