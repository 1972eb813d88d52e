package dev.tessera.graph;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes variables of a graph in place, after everything that reads their old values. The output
 * is the variable itself.
 *
 * <p>What changes from step to step comes in as values: {@code norm} {@code [2]}, of which the
 * second is the factor of every gradient (see {@link GradientOp.Norm}), and {@code schedule} {@code
 * [3]}: the learning rate and, with β₁ and β₂ to the power of the step's number t from 1 on, {@code
 * 1 − β₁ᵗ} and {@code 1 − β₂ᵗ}.
 */
public sealed interface UpdateOp extends Op {
  /** The input {@code schedule}'s length. */
  int SCHEDULE = 3;

  /**
   * Adam (Kingma and Ba, arXiv:1412.6980), with decoupled weight decay AdamW (Loshchilov and
   * Hutter, arXiv:1711.05101), as torch computes them.
   *
   * @param first running mean of the gradients
   * @param second running mean of their squares
   * @param rateScale factor of the learning rate for this parameter
   * @param decay weight decay
   * @param decoupled whether the parameter shrinks by {@code rate·decay} rather than {@code
   *     decay·parameter} being added to the gradient
   */
  record Adam(
      Value parameter,
      Value gradient,
      Value first,
      Value second,
      Value norm,
      Value schedule,
      double beta1,
      double beta2,
      double epsilon,
      double rateScale,
      double decay,
      boolean decoupled)
      implements UpdateOp {
    @Override
    public List<Value> inputs() {
      return List.of(parameter, gradient, first, second, norm, schedule);
    }

    @Override
    public Value output() {
      return parameter;
    }

    @Override
    public List<Value> outputs() {
      return List.of(parameter, first, second);
    }
  }

  /**
   * Stochastic gradient descent as torch computes it: {@code b = momentum·b + g}, then the step is
   * {@code g + momentum·b} with Nesterov's momentum and b without.
   *
   * @param velocity b, or null without momentum
   * @param decay weight decay, added to the gradient
   */
  record Sgd(
      Value parameter,
      Value gradient,
      @Nullable Value velocity,
      Value norm,
      Value schedule,
      double momentum,
      boolean nesterov,
      double rateScale,
      double decay)
      implements UpdateOp {
    @Override
    public List<Value> inputs() {
      List<Value> values = new ArrayList<>(List.of(parameter, gradient, norm, schedule));
      if (velocity != null) {
        values.add(velocity);
      }
      return values;
    }

    @Override
    public Value output() {
      return parameter;
    }

    @Override
    public List<Value> outputs() {
      return velocity == null ? List.of(parameter) : List.of(parameter, velocity);
    }
  }

  /** An exponential moving average: {@code a = decay·a + (1 − decay)·parameter}. */
  record Average(Value average, Value parameter, double decay) implements UpdateOp {
    @Override
    public List<Value> inputs() {
      return List.of(average, parameter);
    }

    @Override
    public Value output() {
      return average;
    }
  }

  /** Gradient accumulation: {@code sum = sum + factor·gradient}. */
  record Accumulate(Value sum, Value gradient, float factor) implements UpdateOp {
    @Override
    public List<Value> inputs() {
      return List.of(sum, gradient);
    }

    @Override
    public Value output() {
      return sum;
    }
  }

  /** Zeros, for the next accumulation. */
  record Clear(Value variable) implements UpdateOp {
    @Override
    public List<Value> inputs() {
      return List.of(variable);
    }

    @Override
    public Value output() {
      return variable;
    }
  }
}
