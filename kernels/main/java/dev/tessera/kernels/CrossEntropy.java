package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The cross-entropy {@code −Σ t·log softmax(logits)} of each row and its gradient in one pass:
 * logits and dLogits are {@code [rows, classes]}, losses {@code [rows]}; one work-item a row.
 */
public final class CrossEntropy {
  private CrossEntropy() {}

  /**
   * Targets are class numbers {@code [rows]}, which are whole; t is 1 − smoothing for the class
   * plus smoothing/classes everywhere (Szegedy et al., arXiv:1512.00567). A row whose target is no
   * class counts nothing.
   */
  public static void classes(
      KernelContext context,
      FloatArray logits,
      FloatArray targets,
      FloatArray losses,
      FloatArray dLogits,
      int rows,
      int classes,
      float smoothing) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * classes;
      int target = (int) targets.get(row);
      float counts = target >= 0 && target < classes ? 1f : 0f;
      float max = Softmax.max(logits, at, classes);
      float logSum = max + TornadoMath.log(Softmax.sum(logits, at, classes, max));
      float loss = 0f;
      for (int i = 0; i < classes; i++) {
        float expected = smoothing / classes;
        if (i == target) {
          expected += 1f - smoothing;
        }
        float logProbability = logits.get(at + i) - logSum;
        loss -= expected * logProbability;
        float gradient = TornadoMath.exp(logProbability) - expected;
        dLogits.set(at + i, gradient * counts);
      }
      losses.set(row, loss * counts);
    }
  }

  /** Targets are weights {@code [rows, classes]}, which need not sum to one. */
  public static void weights(
      KernelContext context,
      FloatArray logits,
      FloatArray targets,
      FloatArray losses,
      FloatArray dLogits,
      int rows,
      int classes) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * classes;
      float max = Softmax.max(logits, at, classes);
      float logSum = max + TornadoMath.log(Softmax.sum(logits, at, classes, max));
      float loss = 0f;
      float total = 0f;
      for (int i = 0; i < classes; i++) {
        total += targets.get(at + i);
        loss -= targets.get(at + i) * (logits.get(at + i) - logSum);
      }
      for (int i = 0; i < classes; i++) {
        float probability = TornadoMath.exp(logits.get(at + i) - logSum);
        dLogits.set(at + i, probability * total - targets.get(at + i));
      }
      losses.set(row, loss);
    }
  }

  /**
   * {@code y[0]} is dy divided by the number of rows whose target is a class; one work-item.
   *
   * @param dy {@code [1]}
   */
  public static void share(
      KernelContext context, FloatArray targets, FloatArray dy, FloatArray y, int rows) {
    if (context.globalIdx == 0) {
      float counted = 0f;
      for (int row = 0; row < rows; row++) {
        counted += targets.get(row) < 0f ? 0f : 1f;
      }
      y.set(0, dy.get(0) / counted);
    }
  }
}
