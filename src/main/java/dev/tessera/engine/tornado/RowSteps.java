package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.Op;
import dev.tessera.kernels.Grids;
import dev.tessera.kernels.L2Norm;
import dev.tessera.kernels.LayerNorm;
import dev.tessera.kernels.RmsNorm;
import dev.tessera.kernels.Softmax;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Operations on each row by itself. */
final class RowSteps {
  private RowSteps() {}

  static void layerNorm(Emitter emitter, Op.LayerNorm op) {
    FloatArray x = emitter.array(op.input());
    FloatArray weight = emitter.array(op.weight());
    FloatArray bias = emitter.array(op.bias());
    FloatArray y = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    float epsilon = op.epsilon();
    KernelContext context = emitter.context;
    boolean grouped = emitter.tiled;
    emitter.add(
        "layerNorm",
        grouped ? Grids.groups(rows, LayerNorm.GROUP) : emitter.items(rows),
        List.of(x, weight, bias, y),
        (g, id) ->
            g.task(
                id,
                grouped ? LayerNorm::grouped : LayerNorm::rows,
                context,
                x,
                weight,
                bias,
                y,
                rows,
                width,
                epsilon));
  }

  static void rmsNorm(Emitter emitter, Op.RmsNorm op) {
    FloatArray x = emitter.array(op.input());
    FloatArray weight = emitter.array(op.weight());
    FloatArray y = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    KernelContext context = emitter.context;
    emitter.add(
        "rmsNorm",
        emitter.items(rows),
        List.of(x, weight, y),
        (g, id) -> g.task(id, RmsNorm::rows, context, x, weight, y, rows, width, op.epsilon()));
  }

  static void l2Normalize(Emitter emitter, Op.L2Normalize op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    KernelContext context = emitter.context;
    emitter.add(
        "l2Normalize",
        emitter.items(rows),
        List.of(x, y),
        (g, id) -> g.task(id, L2Norm::rows, context, x, y, rows, width, op.epsilon()));
  }

  static void softmax(Emitter emitter, Op.Softmax op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    KernelContext context = emitter.context;
    emitter.add(
        "softmax",
        emitter.items(rows),
        List.of(x, y),
        (g, id) -> g.task(id, Softmax::rows, context, x, y, rows, width));
  }

  static void logSoftmax(Emitter emitter, Op.LogSoftmax op) {
    FloatArray x = emitter.array(op.input());
    FloatArray y = emitter.array(op.output());
    int width = op.output().shape().last();
    int rows = elements(op.output()) / width;
    KernelContext context = emitter.context;
    emitter.add(
        "logSoftmax",
        emitter.items(rows),
        List.of(x, y),
        (g, id) -> g.task(id, Softmax::logRows, context, x, y, rows, width));
  }
}
