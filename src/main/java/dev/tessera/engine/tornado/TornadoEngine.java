package dev.tessera.engine.tornado;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Fusion;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Executes graphs as TornadoVM's task graphs on one device.
 *
 * <p>The parameters are uploaded once for each graph; a run uploads its inputs and downloads its
 * outputs, everything between stays on the device. What a training changes elsewhere, the {@link
 * Variables}, is uploaded for each run, too. Graphs share the host's copies of the parameters.
 * Executables must not be used after {@link #close}.
 */
final class TornadoEngine implements Engine {
  private record ParameterKey(Tensor tensor, @Nullable Tensor scale) {}

  private final DeviceProbe probe;
  private final Map<ParameterKey, FloatArray> parameters = new HashMap<>();
  private final List<TornadoExecutable> executables = new ArrayList<>();

  private final int maxTasks;

  TornadoEngine(DeviceProbe probe) {
    this(probe, Partition.MAX_TASKS);
  }

  /** An engine that divides graphs after fewer tasks than it must. */
  TornadoEngine(DeviceProbe probe, int maxTasks) {
    this.probe = probe;
    this.maxTasks = maxTasks;
  }

  @Override
  public String name() {
    return probe.name();
  }

  @Override
  public String description() {
    return probe.description();
  }

  @Override
  public synchronized Executable compile(
      Graph graph, Map<String, Tensor> tensors, Variables variables) {
    Graph fused = Fusion.fuse(graph);
    Lowering lowering = new Lowering(this, fused, new Constants(fused, tensors));
    TornadoExecutable executable = lowering.executable(variables);
    executables.add(executable);
    return executable;
  }

  /** Kernels are compiled for each graph, and its arrays stay on the device. */
  @Override
  public boolean wantsFewShapes() {
    return true;
  }

  int maxTasks() {
    return maxTasks;
  }

  DeviceProbe probe() {
    return probe;
  }

  /** A parameter for kernels, each of its rows multiplied with an element of scale if given. */
  synchronized FloatArray upload(Tensor tensor, @Nullable Tensor scale) {
    return parameters.computeIfAbsent(
        new ParameterKey(tensor, scale),
        key -> {
          float[] values = tensor.toFloats();
          if (scale != null) {
            float[] factors = scale.toFloats();
            int row = values.length / factors.length;
            for (int i = 0; i < values.length; i++) {
              values[i] *= factors[i / row];
            }
          }
          return FloatArray.fromArray(values);
        });
  }

  @Override
  public synchronized void close() {
    for (TornadoExecutable executable : executables) {
      executable.close();
    }
    executables.clear();
    parameters.clear();
  }
}
