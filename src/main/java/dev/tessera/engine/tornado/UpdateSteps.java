package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Adam;
import dev.tessera.kernels.Sgd;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** What changes variables: the optimisers' steps and all that goes with them. */
final class UpdateSteps {
  private UpdateSteps() {}

  static void lower(Emitter emitter, UpdateOp op) {
    switch (op) {
      case UpdateOp.Adam adam -> adam(emitter, adam);
      case UpdateOp.Sgd sgd when sgd.velocity() != null -> momentum(emitter, sgd, sgd.velocity());
      case UpdateOp.Sgd sgd -> sgd(emitter, sgd);
      case UpdateOp.Average(Value average, Value parameter, double decay) ->
          blend(emitter, parameter, average, (float) decay, (float) (1 - decay));
      case UpdateOp.Accumulate(Value sum, Value gradient, float factor) ->
          blend(emitter, gradient, sum, 1, factor);
      case UpdateOp.Clear(Value variable) ->
          emitter.fill(emitter.array(variable), elements(variable), 0);
    }
  }

  private static void adam(Emitter emitter, UpdateOp.Adam op) {
    FloatArray parameter = emitter.array(op.parameter());
    FloatArray gradient = emitter.array(op.gradient());
    FloatArray first = emitter.array(op.first());
    FloatArray second = emitter.array(op.second());
    FloatArray norm = emitter.array(op.norm());
    FloatArray schedule = emitter.array(op.schedule());
    int n = elements(op.parameter());
    KernelContext context = emitter.context;
    emitter.update(
        "adam",
        emitter.items(n),
        List.of(parameter, gradient, first, second, norm, schedule),
        List.of(parameter, first, second),
        (g, id) ->
            g.task(
                id,
                Adam::update,
                context,
                parameter,
                gradient,
                first,
                second,
                norm,
                schedule,
                n,
                (float) op.beta1(),
                (float) op.beta2(),
                (float) op.epsilon(),
                (float) op.rateScale(),
                op.decoupled() ? (float) op.decay() : 0f,
                op.decoupled() ? 0f : (float) op.decay()));
  }

  private static void sgd(Emitter emitter, UpdateOp.Sgd op) {
    FloatArray parameter = emitter.array(op.parameter());
    FloatArray gradient = emitter.array(op.gradient());
    FloatArray norm = emitter.array(op.norm());
    FloatArray schedule = emitter.array(op.schedule());
    int n = elements(op.parameter());
    KernelContext context = emitter.context;
    emitter.update(
        "sgd",
        emitter.items(n),
        List.of(parameter, gradient, norm, schedule),
        List.of(parameter),
        (g, id) ->
            g.task(
                id,
                Sgd::update,
                context,
                parameter,
                gradient,
                norm,
                schedule,
                n,
                (float) op.rateScale(),
                (float) op.decay()));
  }

  private static void momentum(Emitter emitter, UpdateOp.Sgd op, Value remembered) {
    FloatArray parameter = emitter.array(op.parameter());
    FloatArray gradient = emitter.array(op.gradient());
    FloatArray velocity = emitter.array(remembered);
    FloatArray norm = emitter.array(op.norm());
    FloatArray schedule = emitter.array(op.schedule());
    int n = elements(op.parameter());
    KernelContext context = emitter.context;
    emitter.update(
        "sgd",
        emitter.items(n),
        List.of(parameter, gradient, velocity, norm, schedule),
        List.of(parameter, velocity),
        (g, id) ->
            g.task(
                id,
                Sgd::momentum,
                context,
                parameter,
                gradient,
                velocity,
                norm,
                schedule,
                n,
                (float) op.momentum(),
                op.nesterov() ? 1f : 0f,
                op.nesterov() ? (float) op.momentum() : 1f,
                (float) op.rateScale(),
                (float) op.decay()));
  }

  /** {@code variable = a·variable + b·value}. */
  private static void blend(Emitter emitter, Value value, Value variable, float a, float b) {
    emitter.blend(emitter.array(value), emitter.array(variable), elements(variable), a, b);
  }
}
