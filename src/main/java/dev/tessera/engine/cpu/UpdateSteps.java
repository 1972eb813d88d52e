package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.UpdateOp;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** The optimisers' steps: one pass over parameter, gradient and moments. */
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
    for (int i = from; i < end; i += WIDTH) {
      FloatVector p = VectorGradients.load(parameter, i, end);
      FloatVector g = VectorGradients.load(gradient, i, end).mul(factor).add(p.mul(pull));
      FloatVector m = VectorGradients.load(first, i, end).mul(beta1).add(g.mul(rest1));
      FloatVector v = VectorGradients.load(second, i, end).mul(beta2).add(g.mul(g).mul(rest2));
      FloatVector change = m.mul(step).div(v.sqrt().mul(root).add(epsilon));
      VectorGradients.store(m, first, i, end);
      VectorGradients.store(v, second, i, end);
      VectorGradients.store(p.mul(keep).sub(change), parameter, i, end);
    }
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
      over(
          pool,
          parameter.length,
          (from, end) -> {
            for (int i = from; i < end; i += WIDTH) {
              FloatVector p = VectorGradients.load(parameter, i, end);
              FloatVector step =
                  VectorGradients.load(gradient, i, end).mul(norm[1]).add(p.mul(decay));
              if (velocity != null) {
                FloatVector b = VectorGradients.load(velocity, i, end).mul(momentum).add(step);
                VectorGradients.store(b, velocity, i, end);
                step = op.nesterov() ? step.add(b.mul(momentum)) : b;
              }
              VectorGradients.store(p.sub(step.mul(rate)), parameter, i, end);
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
              for (int i = from; i < end; i += WIDTH) {
                FloatVector a = VectorGradients.load(average, i, end).mul(decay);
                FloatVector p = VectorGradients.load(parameter, i, end).mul(rest);
                VectorGradients.store(a.add(p), average, i, end);
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
              for (int i = from; i < end; i += WIDTH) {
                FloatVector g = VectorGradients.load(gradient, i, end).mul(op.factor());
                VectorGradients.store(g.add(VectorGradients.load(sum, i, end)), sum, i, end);
              }
            });
  }
}
