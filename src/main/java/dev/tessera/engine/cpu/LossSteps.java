package dev.tessera.engine.cpu;

import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import java.util.Arrays;

/** Cross-entropy and its gradient, a row of logits a task. */
final class LossSteps {
  private LossSteps() {}

  static Step crossEntropy(Op.CrossEntropy op, float[] logits, float[] targets, float[] output) {
    int classes = op.logits().shape().last();
    int rows = (int) op.logits().shape().rows();
    double[] losses = new double[rows];
    return (pool, kernels) -> {
      pool.run(
          rows,
          (long) rows * classes * 2,
          (worker, row) -> losses[row] = loss(op, logits, targets, row, classes));
      double sum = 0;
      for (double loss : losses) {
        sum += loss;
      }
      output[0] = (float) (sum / op.counted(targets));
    };
  }

  /** −Σ t·(x − ln Σ exp x) of one row. */
  private static double loss(
      Op.CrossEntropy op, float[] logits, float[] targets, int row, int classes) {
    int from = row * classes;
    if (!op.weighted() && targets[row] < 0) {
      return 0;
    }
    double normaliser = VectorGradients.logSumExp(logits, from, from + classes);
    if (op.weighted()) {
      double loss = 0;
      for (int i = from; i < from + classes; i++) {
        loss -= targets[i] * (logits[i] - normaliser);
      }
      return loss;
    }
    double loss = -(1 - op.smoothing()) * (logits[from + (int) targets[row]] - normaliser);
    if (op.smoothing() > 0) {
      double sum = 0;
      for (int i = from; i < from + classes; i++) {
        sum += logits[i] - normaliser;
      }
      loss -= op.smoothing() * sum / classes;
    }
    return loss;
  }

  static Step crossEntropyGradient(
      GradientOp.CrossEntropy op,
      float[] logits,
      float[] targets,
      float[] gradient,
      float[] output) {
    Op.CrossEntropy loss = op.loss();
    int classes = loss.logits().shape().last();
    int rows = (int) loss.logits().shape().rows();
    return (pool, kernels) -> {
      float factor = (float) (gradient[0] / (double) loss.counted(targets));
      pool.run(
          rows,
          (long) rows * classes * 2,
          (worker, row) -> gradient(loss, logits, targets, factor, output, row, classes));
    };
  }

  /** (softmax·Σt − t)·factor of one row. */
  private static void gradient(
      Op.CrossEntropy op,
      float[] logits,
      float[] targets,
      float factor,
      float[] output,
      int row,
      int classes) {
    int from = row * classes;
    int end = from + classes;
    if (!op.weighted() && targets[row] < 0) {
      Arrays.fill(output, from, end, 0f);
      return;
    }
    float total = 1;
    if (op.weighted()) {
      double sum = 0;
      for (int i = from; i < end; i++) {
        sum += targets[i];
      }
      total = (float) sum;
    }
    float normaliser = (float) VectorGradients.logSumExp(logits, from, end);
    VectorGradients.exponentials(logits, normaliser, total * factor, output, from, end);
    if (op.weighted()) {
      for (int i = from; i < end; i++) {
        output[i] -= targets[i] * factor;
      }
      return;
    }
    if (op.smoothing() > 0) {
      for (int i = from; i < end; i++) {
        output[i] -= op.smoothing() / classes * factor;
      }
    }
    output[from + (int) targets[row]] -= (1 - op.smoothing()) * factor;
  }
}
