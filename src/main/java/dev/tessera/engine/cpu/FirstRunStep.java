package dev.tessera.engine.cpu;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A step that is done in another way the first time, because preparing it pays only later. */
final class FirstRunStep implements Step {
  private @Nullable Step first;
  private @Nullable Step later;
  private final Supplier<Step> prepare;

  /**
   * @param first runs once
   * @param prepare makes the step that runs from then on, when it is needed
   */
  FirstRunStep(Step first, Supplier<Step> prepare) {
    this.first = first;
    this.prepare = prepare;
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    Step step = first;
    first = null;
    if (step == null) {
      step = later == null ? prepare.get() : later;
      later = step;
    }
    step.run(pool, kernels);
  }
}
