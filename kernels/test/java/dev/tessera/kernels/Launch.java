package dev.tessera.kernels;

import java.util.Random;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * One kernel on one device: the simulator's, or TornadoVM's where it runs the tests. Another one
 * than the first is chosen with {@code -Dtessera.test.device=backend:device}.
 */
final class Launch {
  static final KernelContext CONTEXT = new KernelContext();

  private Launch() {}

  /** Executes the graph's one task, {@code t}, and copies {@code outputs} back. */
  static void run(TaskGraph graph, WorkerGrid grid, Object... outputs) {
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, outputs);
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device()).withGridScheduler(new GridScheduler("g.t", grid)).execute();
    } catch (TornadoExecutionPlanException e) {
      throw new IllegalStateException(e);
    }
  }

  private static TornadoDevice device() {
    String name = System.getProperty("tessera.test.device", "0:0");
    int colon = name.indexOf(':');
    return TornadoRuntimeProvider.getTornadoRuntime()
        .getBackend(Integer.parseInt(name, 0, colon, 10))
        .getDevice(Integer.parseInt(name, colon + 1, name.length(), 10));
  }

  /** Whether the device computes with halves: the simulator does, and CUDA. */
  static boolean hasHalves() {
    return device().getPlatformName().equals("Tessera simulator")
        || device().getTornadoVMBackend() == TornadoVMBackendType.CUDA;
  }

  /** A graph whose arrays {@code inputs} are copied to the device. */
  static TaskGraph graph(Object... inputs) {
    return new TaskGraph("g").transferToDevice(DataTransferMode.EVERY_EXECUTION, inputs);
  }

  /** Normally distributed values, the same on every run. */
  static float[] normal(int seed, int n) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static FloatArray array(float[] values) {
    return FloatArray.fromArray(values);
  }
}
