package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.UpdateOp;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * The optimisers' steps: one pass over parameter, gradient and moments. Adam's is written in
 * vectors for its division and root; the JIT vectorises the others' plain loops.
 */
final class UpdateSteps {
  private static final int BLOCK = 16_384;

  private UpdateSteps() {}

  private interface Range {
    void apply(int from, int end);
  }

  private static void over(WorkerPool pool, int count, Range range) {
    pool.run(
        Math.ceilDiv(count, BLOCK),
        count,
        (worker, task) -> range.apply(task * BLOCK, Math.min(count, (task + 1) * BLOCK)));
  }

  /** See {@link UpdateOp.Adam}. */
  static Step adam(
      UpdateOp.Adam op,
      float[] parameter,
      float[] gradient,
      float[] first,
      float[] second,
      float[] norm,
      float[] schedule) {
    return (pool, kernels) -> {
      double rate = schedule[0] * op.rateScale();
      float keep = op.decoupled() ? (float) (1 - rate * op.decay()) : 1f;
      float pull = op.decoupled() ? 0f : (float) op.decay();
      // m/c₁ / (√(v/c₂) + ε) with the corrections moved out of the loop.
      float root = (float) (1 / Math.sqrt(schedule[2]));
      float step = (float) (rate / schedule[1]);
      over(
          pool,
          parameter.length,
          (from, end) ->
              adam(
                  op, parameter, gradient, first, second, norm[1], keep, pull, root, step, from,
                  end));
    };
  }

  private static void adam(
      UpdateOp.Adam op,
      float[] parameter,
      float[] gradient,
      float[] first,
      float[] second,
      float factor,
      float keep,
      float pull,
      float root,
      float step,
      int from,
      int end) {
    float beta1 = (float) op.beta1();
    float beta2 = (float) op.beta2();
    float rest1 = (float) (1 - op.beta1());
    float rest2 = (float) (1 - op.beta2());
    float epsilon = (float) op.epsilon();
    int whole = from + SPECIES.loopBound(end - from);
    for (int i = from; i < whole; i += WIDTH) {
      FloatVector p = vector(parameter, i);
      FloatVector g = vector(gradient, i).mul(factor).add(p.mul(pull));
      FloatVector m = vector(first, i).mul(beta1).add(g.mul(rest1));
      FloatVector v = vector(second, i).mul(beta2).add(g.mul(g).mul(rest2));
      FloatVector change = m.mul(step).div(v.sqrt().mul(root).add(epsilon));
      m.intoArray(first, i);
      v.intoArray(second, i);
      p.mul(keep).sub(change).intoArray(parameter, i);
    }
    for (int i = whole; i < end; i++) {
      float p = parameter[i];
      float g = gradient[i] * factor + p * pull;
      float m = first[i] * beta1 + g * rest1;
      float v = second[i] * beta2 + g * g * rest2;
      first[i] = m;
      second[i] = v;
      parameter[i] = p * keep - m * step / ((float) Math.sqrt(v) * root + epsilon);
    }
  }

  private static FloatVector vector(float[] x, int i) {
    return FloatVector.fromArray(SPECIES, x, i);
  }

  /** See {@link UpdateOp.Sgd}. */
  static Step sgd(
      UpdateOp.Sgd op,
      float[] parameter,
      float[] gradient,
      float @Nullable [] velocity,
      float[] norm,
      float[] schedule) {
    float momentum = (float) op.momentum();
    float decay = (float) op.decay();
    return (pool, kernels) -> {
      float rate = (float) (schedule[0] * op.rateScale());
      float factor = norm[1];
      over(
          pool,
          parameter.length,
          (from, end) -> {
            for (int i = from; i < end; i++) {
              float p = parameter[i];
              float step = gradient[i] * factor + p * decay;
              if (velocity != null) {
                float b = velocity[i] * momentum + step;
                velocity[i] = b;
                step = op.nesterov() ? step + b * momentum : b;
              }
              parameter[i] = p - step * rate;
            }
          });
    };
  }

  /** See {@link UpdateOp.Average}. */
  static Step average(UpdateOp.Average op, float[] average, float[] parameter) {
    float decay = (float) op.decay();
    float rest = (float) (1 - op.decay());
    return (pool, kernels) ->
        over(
            pool,
            average.length,
            (from, end) -> {
              for (int i = from; i < end; i++) {
                average[i] = average[i] * decay + parameter[i] * rest;
              }
            });
  }

  /** See {@link UpdateOp.Accumulate}. */
  static Step accumulate(UpdateOp.Accumulate op, float[] sum, float[] gradient) {
    return (pool, kernels) ->
        over(
            pool,
            sum.length,
            (from, end) -> {
              for (int i = from; i < end; i++) {
                sum[i] += gradient[i] * op.factor();
              }
            });
  }
}
