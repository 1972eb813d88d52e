package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.kernels.CrossEntropy;
import dev.tessera.kernels.SquaredError;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Losses and their gradients by what they judge. */
final class LossSteps {
  private LossSteps() {}

  static void crossEntropy(Emitter emitter, Op.CrossEntropy op) {
    int rows = rows(op);
    FloatArray losses = emitter.shared("losses", rows);
    FloatArray sum = emitter.shared("sum", 1);
    rows(emitter, op, losses, emitter.shared("logits", elements(op.logits())));
    emitter.sumRows(losses, rows, 1, sum);
    emitter.multiply(sum, share(emitter, op, emitter.one), emitter.array(op.output()), 1, 1);
  }

  static void crossEntropyGradient(Emitter emitter, GradientOp.CrossEntropy op) {
    int n = elements(op.output());
    FloatArray dLogits = emitter.shared("logits", n);
    rows(emitter, op.loss(), emitter.shared("losses", rows(op.loss())), dLogits);
    FloatArray share = share(emitter, op.loss(), emitter.array(op.gradient()));
    emitter.multiply(dLogits, share, emitter.array(op.output()), n, 1);
  }

  private static int rows(Op.CrossEntropy op) {
    return (int) op.logits().shape().rows();
  }

  /** Each row's loss, and its gradient. */
  private static void rows(
      Emitter emitter, Op.CrossEntropy op, FloatArray losses, FloatArray dLogits) {
    FloatArray logits = emitter.array(op.logits());
    FloatArray targets = emitter.array(op.targets());
    int rows = rows(op);
    int classes = op.logits().shape().last();
    KernelContext context = emitter.context;
    Step.Task task =
        op.weighted()
            ? (g, id) ->
                g.task(
                    id,
                    CrossEntropy::weights,
                    context,
                    logits,
                    targets,
                    losses,
                    dLogits,
                    rows,
                    classes)
            : (g, id) ->
                g.task(
                    id,
                    CrossEntropy::classes,
                    context,
                    logits,
                    targets,
                    losses,
                    dLogits,
                    rows,
                    classes,
                    op.smoothing());
    emitter.add(
        "crossEntropy", emitter.items(rows), List.of(logits, targets, losses, dLogits), task);
  }

  /** dy divided by the number of rows that the mean is over. */
  private static FloatArray share(Emitter emitter, Op.CrossEntropy op, FloatArray dy) {
    FloatArray share = emitter.shared("share", 1);
    int rows = rows(op);
    if (op.weighted()) {
      emitter.scale(dy, share, 1, 1f / rows);
      return share;
    }
    FloatArray targets = emitter.array(op.targets());
    KernelContext context = emitter.context;
    emitter.add(
        "share",
        emitter.items(1),
        List.of(targets, dy, share),
        (g, id) -> g.task(id, CrossEntropy::share, context, targets, dy, share, rows));
    return share;
  }

  static void squaredError(Emitter emitter, Op.MeanSquaredError op) {
    FloatArray x = emitter.array(op.input());
    FloatArray target = emitter.array(op.target());
    int n = elements(op.input());
    FloatArray losses = emitter.shared("losses", n);
    KernelContext context = emitter.context;
    emitter.add(
        "squaredError",
        emitter.items(n),
        List.of(x, target, losses),
        (g, id) -> g.task(id, SquaredError::losses, context, x, target, losses, n, 1f / n));
    emitter.sumRows(losses, n, 1, emitter.array(op.output()));
  }

  static void squaredErrorGradient(Emitter emitter, GradientOp.MeanSquaredError op) {
    FloatArray x = emitter.array(op.input());
    FloatArray target = emitter.array(op.target());
    FloatArray dy = emitter.array(op.gradient());
    Value output = op.output();
    FloatArray dx = emitter.array(output);
    int n = elements(output);
    KernelContext context = emitter.context;
    emitter.add(
        "squaredErrorGradient",
        emitter.items(n),
        List.of(x, target, dy, dx),
        (g, id) -> g.task(id, SquaredError::backward, context, x, target, dy, dx, n, 1f / n));
  }
}
