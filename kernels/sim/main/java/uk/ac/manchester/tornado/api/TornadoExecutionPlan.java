package uk.ac.manchester.tornado.api;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.DeviceMemory;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Task graphs that share a device, which grants them as much memory as the property {@code
 * tornado.device.memory} says.
 */
public final class TornadoExecutionPlan implements AutoCloseable {
  private final ImmutableTaskGraph[] graphs;
  private final DeviceMemory.Budget budget;
  private GridScheduler grids = new GridScheduler();
  private @Nullable ImmutableTaskGraph last;
  private int chosen = -1;
  private boolean isCuda;
  private boolean recorded;
  private boolean profiled;
  private boolean closed;

  public TornadoExecutionPlan(ImmutableTaskGraph... immutableTaskGraphs) {
    graphs = immutableTaskGraphs.clone();
    budget = new DeviceMemory.Budget(bytes(System.getProperty("tornado.device.memory", "4GB")));
  }

  private static long bytes(String size) {
    String upper = size.toUpperCase(Locale.ROOT);
    int shift = upper.endsWith("GB") ? 30 : upper.endsWith("MB") ? 20 : 0;
    return Long.parseLong(shift == 0 ? upper : upper.substring(0, upper.length() - 2)) << shift;
  }

  public TornadoExecutionPlan withDevice(TornadoDevice device) {
    isCuda = device.getTornadoVMBackend() == TornadoVMBackendType.CUDA;
    return this;
  }

  /** Has CUDA record the first execution of each task graph, and replay it from then on. */
  public TornadoExecutionPlan withCUDAGraph() {
    recorded = true;
    return this;
  }

  public TornadoExecutionPlan withGridScheduler(GridScheduler gridScheduler) {
    grids = gridScheduler;
    return this;
  }

  /** Has the next executions run one of several task graphs. */
  public TornadoExecutionPlan withGraph(int graphIndex) {
    if (graphIndex < 0 || graphIndex >= graphs.length) {
      throw new TornadoRuntimeException("the plan has no task graph " + graphIndex);
    }
    chosen = graphIndex;
    return this;
  }

  public TornadoExecutionPlan withPreCompilation() {
    return this;
  }

  /** Measures the next executions. */
  public TornadoExecutionPlan withProfiler(ProfilerMode profilerMode) {
    if (profilerMode != ProfilerMode.SILENT) {
      throw new TornadoRuntimeException("the simulator's profiler is silent");
    }
    profiled = true;
    return this;
  }

  public TornadoExecutionResult execute() {
    if (closed) {
      throw new TornadoRuntimeException("the execution plan is closed");
    }
    if (chosen < 0 && graphs.length > 1) {
      throw new TornadoRuntimeException(
          "a plan of several task graphs needs withGraph, or arrays are not passed on");
    }
    if (recorded && !isCuda) {
      throw new TornadoRuntimeException("CUDA graphs need a device of CUDA");
    }
    if (recorded && profiled) {
      throw new TornadoRuntimeException("what CUDA replays has no times of kernels");
    }
    ImmutableTaskGraph graph = graphs[Math.max(chosen, 0)];
    graph.execute(grids, budget, last, isCuda, profiled);
    last = graph;
    return new TornadoExecutionResult(this);
  }

  public long getCurrentDeviceMemoryUsage() {
    return budget.used();
  }

  @Override
  public void close() throws TornadoExecutionPlanException {
    closed = true;
    for (ImmutableTaskGraph graph : graphs) {
      graph.free();
    }
    budget.free();
  }

  String profileLog() {
    return graphs[Math.max(chosen, 0)].profileLog();
  }

  /** Copies arrays of the graph that is chosen now: the others do not know of their changes. */
  void transferToHost(Object... objects) {
    ImmutableTaskGraph graph = graphs[Math.max(chosen, 0)];
    for (Object object : objects) {
      if (!(object instanceof TornadoNativeArray array && graph.transferToHost(array))) {
        throw new TornadoRuntimeException(
            "task graph " + graph.name() + " does not declare this array UNDER_DEMAND");
      }
    }
  }
}
