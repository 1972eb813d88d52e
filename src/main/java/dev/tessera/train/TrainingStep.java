package dev.tessera.train;

import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Backward;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Regularization;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model in training, compiled for one batch size: the model's own graph with a loss, its
 * gradients and the optimiser's updates appended.
 *
 * <p>Everything that changes is in {@link #variables}: the trained parameters under the
 * checkpoint's names, {@code optimizer/first/NAME}, {@code optimizer/second/NAME} or {@code
 * optimizer/momentum/NAME}, the moving averages {@code ema/NAME}, and the number of updates so far
 * in {@code optimizer/step}. Written back into a step of the same settings, they continue the
 * training to the last bit.
 */
public final class TrainingStep {
  /** The input that {@link #run} takes beside those of the model. */
  public static final String TARGETS = "targets";

  private static final String LOGITS = "logits";
  private static final String LOSS = "loss";
  private static final String STEP = "optimizer/step";
  private static final String SUM = "gradient/";

  /**
   * What an update does.
   *
   * @param maxGradientNorm length to which all gradients together are shortened; 0 for any
   * @param emaDecay decay of the moving averages of the parameters; 0 for none
   */
  public record Settings(Optimizer optimizer, double maxGradientNorm, double emaDecay) {}

  /**
   * What one call found.
   *
   * @param loss before the update
   * @param gradientNorm length of all gradients before it is limited; NaN where none was updated
   * @param logits of the batch, as the model's graph gives them
   */
  public record Result(double loss, double gradientNorm, Tensor logits) {}

  private final Executable gradients;
  private final @Nullable Executable update;
  private final boolean regularized;
  private final Optimizer optimizer;
  private final Variables variables;
  private final int accumulationSteps;
  private int accumulated;

  private TrainingStep(
      Executable gradients,
      @Nullable Executable update,
      boolean regularized,
      Optimizer optimizer,
      Variables variables,
      int accumulationSteps) {
    this.gradients = gradients;
    this.update = update;
    this.regularized = regularized;
    this.optimizer = optimizer;
    this.variables = variables;
    this.accumulationSteps = accumulationSteps;
  }

  /**
   * Compiles a training.
   *
   * @param forward has an output {@code logits}; with {@link Regularization} applied or without
   * @param initial every parameter of the graph, by name; those that are trained are copied, the
   *     others must stay alive
   * @param rules by name; a parameter without a rule stays as it is
   * @param accumulationSteps how many calls of {@link #run} make one update
   * @throws IllegalArgumentException if nothing is trained, or the loss does not depend on a
   *     parameter that is
   */
  public static TrainingStep compile(
      Engine engine,
      Graph forward,
      Loss loss,
      Map<String, Tensor> initial,
      Map<String, ParameterRule> rules,
      Settings settings,
      int accumulationSteps) {
    Map<String, ParameterRule> trained = new LinkedHashMap<>();
    for (String name : forward.parameters().keySet()) {
      ParameterRule rule = rules.getOrDefault(name, ParameterRule.FROZEN);
      if (rule.trained()) {
        trained.put(name, rule);
      }
    }
    if (trained.isEmpty()) {
      throw new IllegalArgumentException("no parameter is trained");
    }
    boolean accumulates = accumulationSteps > 1;
    Variables variables = variables(forward, initial, trained, settings, accumulates);

    GraphBuilder graph = new GraphBuilder(forward.varying(trained.keySet()));
    Value logits = forward.outputs().get(LOGITS);
    if (logits == null) {
      throw new IllegalArgumentException("the model has no logits to train");
    }
    Value value = loss.append(graph, logits, graph.input(TARGETS, loss.targets(logits.shape())));
    graph.output(LOSS, value);
    Map<String, Value> parameters = new LinkedHashMap<>();
    trained.keySet().forEach(name -> parameters.put(name, forward.parameters().get(name)));
    Map<String, Value> byName = Backward.of(graph, value, parameters);
    Map<String, Tensor> constants = new LinkedHashMap<>(initial);
    Executable update = null;
    if (accumulates) {
      byName.forEach((name, gradient) ->
          graph.update(
              new UpdateOp.Accumulate(
                  graph.variable(SUM + name, gradient.shape()), gradient, 1f / accumulationSteps)));
      update = updates(engine, parameters, trained, settings, variables);
    } else {
      constants.putAll(Updates.append(graph, byName, trained, settings));
    }
    Executable gradients = engine.compile(graph.build(), constants, variables);
    return new TrainingStep(
        gradients,
        update,
        forward.inputs().containsKey(Regularization.SEED),
        settings.optimizer(),
        variables,
        accumulationSteps);
  }

  private static Variables variables(
      Graph forward,
      Map<String, Tensor> initial,
      Map<String, ParameterRule> trained,
      Settings settings,
      boolean accumulates) {
    Map<String, float[]> arrays = new LinkedHashMap<>();
    for (String name : trained.keySet()) {
      arrays.put(name, Engine.parameter(forward, initial, name).toFloats());
    }
    Map<String, float[]> state = new LinkedHashMap<>();
    arrays.forEach((name, start) -> {
      Optimizer optimizer = settings.optimizer().of(Objects.requireNonNull(trained.get(name)));
      for (String slot : optimizer.slots()) {
        state.put(slot + name, new float[start.length]);
      }
      if (settings.emaDecay() > 0) {
        state.put(Updates.AVERAGE + name, start.clone());
      }
      if (accumulates) {
        state.put(SUM + name, new float[start.length]);
      }
    });
    arrays.putAll(state);
    arrays.put(STEP, new float[1]);
    return Variables.of(arrays);
  }

  /** What turns accumulated gradients into an update. */
  private static Executable updates(
      Engine engine,
      Map<String, Value> parameters,
      Map<String, ParameterRule> trained,
      Settings settings,
      Variables variables) {
    GraphBuilder graph = new GraphBuilder();
    Map<String, Value> sums = new LinkedHashMap<>();
    parameters.forEach((name, parameter) -> {
      graph.variable(name, parameter.shape());
      sums.put(name, graph.variable(SUM + name, parameter.shape()));
    });
    Map<String, Tensor> constants = Updates.append(graph, sums, trained, settings);
    sums.values().forEach(sum -> graph.update(new UpdateOp.Clear(sum)));
    return engine.compile(graph.build(), constants, variables);
  }

  /**
   * Computes the gradients of one batch and, at every {@code accumulationSteps}-th call, updates
   * the parameters with their mean.
   *
   * @param inputs those of the model's graph, and {@link #TARGETS}
   * @param learningRate of an update that this call makes
   * @param seed of what {@link Regularization} drops; without it of no effect
   */
  public Result run(Map<String, Tensor> inputs, double learningRate, long seed) {
    Map<String, Tensor> all = new LinkedHashMap<>(inputs);
    Tensor schedule = schedule(learningRate);
    all.put(Updates.SCHEDULE, schedule);
    if (regularized) {
      all.put(Regularization.SEED, Regularization.seed(seed));
    }
    Map<String, Tensor> results = gradients.run(all);
    float loss = result(results, LOSS).toFloats()[0];
    float norm = Float.NaN;
    if (++accumulated == accumulationSteps) {
      accumulated = 0;
      Map<String, Tensor> updated =
          update == null ? results : update.run(Map.of(Updates.SCHEDULE, schedule));
      norm = result(updated, Updates.NORM).toFloats()[0];
      variables.get(STEP)[0]++;
    }
    return new Result(loss, norm, result(results, LOGITS));
  }

  private static Tensor result(Map<String, Tensor> results, String name) {
    return Objects.requireNonNull(results.get(name), name);
  }

  private Tensor schedule(double learningRate) {
    double step = variables.get(STEP)[0] + 1;
    double beta1 = 0;
    double beta2 = 0;
    Optimizer scheduled = optimizer instanceof Optimizer.Muon muon ? muon.others() : optimizer;
    if (scheduled instanceof Optimizer.Moments moments) {
      beta1 = moments.beta1();
      beta2 = moments.beta2();
    }
    return Tensor.of(
        Shape.of(UpdateOp.SCHEDULE),
        (float) learningRate,
        (float) (1 - Math.pow(beta1, step)),
        (float) (1 - Math.pow(beta2, step)));
  }

  /** All that changes: read it to save the training, write it to resume one; not during a run. */
  public Variables variables() {
    return variables;
  }
}
