package uk.ac.manchester.tornado.api;

/** What the profiler has measured. */
public class TornadoProfilerResult {
  private final TornadoExecutionPlan plan;

  TornadoProfilerResult(TornadoExecutionPlan plan) {
    this.plan = plan;
  }

  /**
   * An object in JSON for every profiled execution of the chosen task graph so far, one after the
   * other; times in nanoseconds, as texts.
   */
  public String getProfileLog() {
    return plan.profileLog();
  }
}
