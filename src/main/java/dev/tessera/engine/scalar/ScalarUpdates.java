package dev.tessera.engine.scalar;

import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The optimisers' steps, in place. */
final class ScalarUpdates {
  private ScalarUpdates() {}

  static void execute(UpdateOp op, float[][] values) {
    switch (op) {
      case UpdateOp.Adam adam -> adam(adam, values);
      case UpdateOp.Sgd sgd -> sgd(sgd, values);
      case UpdateOp.Average average -> {
        float[] sum = values[average.average().id()];
        float[] p = values[average.parameter().id()];
        double decay = average.decay();
        for (int i = 0; i < sum.length; i++) {
          sum[i] = (float) (decay * sum[i] + (1 - decay) * p[i]);
        }
      }
      case UpdateOp.Accumulate accumulate -> {
        float[] sum = values[accumulate.sum().id()];
        float[] g = values[accumulate.gradient().id()];
        for (int i = 0; i < sum.length; i++) {
          sum[i] = (float) (sum[i] + (double) accumulate.factor() * g[i]);
        }
      }
      case UpdateOp.Clear(Value variable) -> Arrays.fill(values[variable.id()], 0f);
    }
  }

  private static void adam(UpdateOp.Adam op, float[][] values) {
    float[] p = values[op.parameter().id()];
    float[] g = values[op.gradient().id()];
    float[] first = values[op.first().id()];
    float[] second = values[op.second().id()];
    float factor = values[op.norm().id()][1];
    float[] schedule = values[op.schedule().id()];
    double rate = (double) schedule[0] * op.rateScale();
    for (int i = 0; i < p.length; i++) {
      double gradient = (double) g[i] * factor + (op.decoupled() ? 0 : op.decay() * p[i]);
      double m = op.beta1() * first[i] + (1 - op.beta1()) * gradient;
      double v = op.beta2() * second[i] + (1 - op.beta2()) * gradient * gradient;
      double shrunk = op.decoupled() ? p[i] * (1 - rate * op.decay()) : p[i];
      double step = m / schedule[1] / (Math.sqrt(v / schedule[2]) + op.epsilon());
      first[i] = (float) m;
      second[i] = (float) v;
      p[i] = (float) (shrunk - rate * step);
    }
  }

  private static void sgd(UpdateOp.Sgd op, float[][] values) {
    float[] p = values[op.parameter().id()];
    float[] g = values[op.gradient().id()];
    float @Nullable [] velocity = op.velocity() == null ? null : values[op.velocity().id()];
    float factor = values[op.norm().id()][1];
    double rate = (double) values[op.schedule().id()][0] * op.rateScale();
    for (int i = 0; i < p.length; i++) {
      double step = (double) g[i] * factor + op.decay() * p[i];
      if (velocity != null) {
        double b = op.momentum() * velocity[i] + step;
        velocity[i] = (float) b;
        step = op.nesterov() ? step + op.momentum() * b : b;
      }
      p[i] = (float) (p[i] - rate * step);
    }
  }
}
