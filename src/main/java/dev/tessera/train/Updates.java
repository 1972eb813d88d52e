package dev.tessera.train;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What makes updates of gradients, appended to their graph: the length of all of them, then for
 * each parameter what its optimiser does, and its moving average.
 */
final class Updates {
  /** The output with the length of all gradients, before it is limited. */
  static final String NORM = "gradient_norm";

  /** The input with the learning rate and Adam's corrections: see {@link UpdateOp#SCHEDULE}. */
  static final String SCHEDULE = "schedule";

  /** What the names of moving averages begin with. */
  static final String AVERAGE = "ema/";

  private final GraphBuilder graph;
  private final TrainingStep.Settings settings;
  private final NewtonSchulz newtonSchulz;
  private final Value schedule;
  private final Value norm;

  private Updates(GraphBuilder graph, List<Value> gradients, TrainingStep.Settings settings) {
    this.graph = graph;
    this.settings = settings;
    this.newtonSchulz = new NewtonSchulz(graph);
    this.schedule = graph.input(SCHEDULE, Shape.of(UpdateOp.SCHEDULE));
    this.norm = graph.output(NORM, graph.norm(gradients, (float) settings.maxGradientNorm()));
  }

  /**
   * Appends the updates of all that is trained.
   *
   * @param gradients by the names of their parameters, each of which has a rule
   * @return the parameters that the graph has got with them
   */
  static Map<String, Tensor> append(
      GraphBuilder graph,
      Map<String, Value> gradients,
      Map<String, ParameterRule> rules,
      TrainingStep.Settings settings) {
    Updates updates = new Updates(graph, List.copyOf(gradients.values()), settings);
    gradients.forEach((name, gradient) ->
        updates.append(name, gradient, Objects.requireNonNull(rules.get(name))));
    return updates.newtonSchulz.constants();
  }

  private void append(String name, Value gradient, ParameterRule rule) {
    Shape shape = gradient.shape();
    Value parameter = graph.variable(name, shape);
    Optimizer optimizer = settings.optimizer().of(rule);
    List<Value> slots =
        optimizer.slots().stream().map(slot -> graph.variable(slot + name, shape)).toList();
    graph.update(
        switch (optimizer) {
          case Optimizer.Moments moments -> adam(moments, parameter, gradient, slots, rule);
          case Optimizer.Sgd sgd -> sgd(sgd, parameter, gradient, slots, rule);
          case Optimizer.Muon muon -> orthogonal(muon, parameter, gradient, slots.getFirst(), rule);
        });
    if (settings.emaDecay() > 0) {
      Value average = graph.variable(AVERAGE + name, shape);
      graph.update(new UpdateOp.Average(average, parameter, settings.emaDecay()));
    }
  }

  private UpdateOp adam(
      Optimizer.Moments moments,
      Value parameter,
      Value gradient,
      List<Value> slots,
      ParameterRule rule) {
    return new UpdateOp.Adam(
        parameter,
        gradient,
        slots.getFirst(),
        slots.getLast(),
        norm,
        schedule,
        moments.beta1(),
        moments.beta2(),
        moments.epsilon(),
        rule.learningRateScale(),
        rule.weightDecay(),
        moments.decoupled());
  }

  private UpdateOp sgd(
      Optimizer.Sgd sgd, Value parameter, Value gradient, List<Value> slots, ParameterRule rule) {
    return new UpdateOp.Sgd(
        parameter,
        gradient,
        slots.isEmpty() ? null : slots.getFirst(),
        norm,
        schedule,
        sgd.momentum(),
        sgd.nesterov(),
        rule.learningRateScale(),
        rule.weightDecay());
  }

  private UpdateOp orthogonal(
      Optimizer.Muon muon, Value parameter, Value gradient, Value mean, ParameterRule rule) {
    float momentum = (float) muon.momentum();
    graph.update(new UpdateOp.Average(mean, gradient, muon.momentum()));
    Value ahead = graph.add(graph.scale(gradient, 1 - momentum), graph.scale(mean, momentum));
    Shape shape = parameter.shape();
    double length = 0.2 * Math.sqrt(Math.max(shape.extent(0), shape.extent(1)));
    Value step = newtonSchulz.append(ahead, (float) length);
    // Without momentum, a decay that is added to the step is one that shrinks the weights.
    return new UpdateOp.Sgd(
        parameter,
        step,
        null,
        graph.fill(Shape.of(2), 1),
        schedule,
        0,
        false,
        rule.learningRateScale(),
        rule.weightDecay());
  }
}
