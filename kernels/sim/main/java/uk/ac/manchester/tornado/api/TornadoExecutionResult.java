package uk.ac.manchester.tornado.api;

/** What an execution left on the device. */
public class TornadoExecutionResult {
  private final TornadoExecutionPlan plan;

  TornadoExecutionResult(TornadoExecutionPlan plan) {
    this.plan = plan;
  }

  /** Copies arrays that a task graph transfers {@code UNDER_DEMAND}. */
  public TornadoExecutionResult transferToHost(Object... objects) {
    plan.transferToHost(objects);
    return this;
  }

  public TornadoProfilerResult getProfilerResult() {
    return new TornadoProfilerResult(plan);
  }

  public boolean isReady() {
    return true;
  }
}
