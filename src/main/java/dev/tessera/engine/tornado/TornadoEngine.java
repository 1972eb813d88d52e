package dev.tessera.engine.tornado;

import dev.tessera.engine.Constants;
import dev.tessera.engine.DeviceException;
import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Precision;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Fusion;
import dev.tessera.graph.Graph;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * Executes graphs as TornadoVM's task graphs on one device.
 *
 * <p>The parameters are uploaded once for each graph; a run uploads its inputs and downloads its
 * outputs, everything between stays on the device. What a training changes, the {@link Variables},
 * stays there from run to run where that can be. Graphs share the host's copies of the parameters.
 * Executables must not be used after {@link #close}.
 */
final class TornadoEngine implements Engine {
  private record ParameterKey(Tensor tensor, @Nullable Tensor scale) {}

  private final DeviceProbe probe;
  private final Map<ParameterKey, FloatArray> parameters = new HashMap<>();
  private final List<TornadoExecutable> executables = new ArrayList<>();

  private final Map<ParameterKey, HalfFloatArray> halves = new HashMap<>();

  private final Precision precision;
  private final int maxTasks;
  private @Nullable Consumer<String> profile;
  private boolean trainingUnchecked;

  TornadoEngine(DeviceProbe probe, Precision precision) {
    this(probe, precision, Partition.MAX_TASKS);
  }

  /** An engine that divides graphs after fewer tasks than it must. */
  TornadoEngine(DeviceProbe probe, Precision precision, int maxTasks) {
    this.probe = probe;
    this.precision = precision;
    this.maxTasks = maxTasks;
  }

  @Override
  public String name() {
    return probe.name();
  }

  @Override
  public String description() {
    return precision == Precision.FP32
        ? probe.description()
        : probe.description() + ", products in " + precision;
  }

  @Override
  public synchronized Executable compile(
      Graph graph, Map<String, Tensor> tensors, Variables variables) {
    if (trainingUnchecked && !variables.names().isEmpty()) {
      trainingUnchecked = false;
      try {
        SelfTest.checkTraining(this, precision);
      } catch (DeviceException e) {
        throw new DeviceFailure(String.valueOf(e.getMessage()), e);
      }
    }
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

  /** Has {@link SelfTest#checkTraining} come before the first training that is compiled. */
  void checkBeforeTraining() {
    trainingUnchecked = true;
  }

  /** Has each kernel measured of what is compiled from now on; see {@link TornadoExecutable}. */
  void profile(Consumer<String> consumer) {
    profile = consumer;
  }

  @Nullable Consumer<String> profile() {
    return profile;
  }

  /** What was compiled, in this order. */
  List<TornadoExecutable> executables() {
    return executables;
  }

  /** Whether runs of another executable change a variable, too. */
  synchronized boolean hasAnotherThatChanges(Variables.Variable values, TornadoExecutable one) {
    return executables.stream().anyMatch(other -> other != one && other.changes(values));
  }

  int maxTasks() {
    return maxTasks;
  }

  Precision precision() {
    return precision;
  }

  DeviceProbe probe() {
    return probe;
  }

  /** A parameter for kernels, each of its rows multiplied with an element of scale if given. */
  synchronized FloatArray upload(Tensor tensor, @Nullable Tensor scale) {
    return parameters.computeIfAbsent(
        new ParameterKey(tensor, scale), key -> FloatArray.fromArray(values(key)));
  }

  /** The same in half precision. */
  synchronized HalfFloatArray uploadHalves(Tensor tensor, @Nullable Tensor scale) {
    return halves.computeIfAbsent(
        new ParameterKey(tensor, scale),
        key -> {
          float[] values = values(key);
          HalfFloatArray array = new HalfFloatArray(values.length);
          for (int i = 0; i < values.length; i++) {
            array
                .getSegment()
                .setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
          }
          return array;
        });
  }

  private static float[] values(ParameterKey key) {
    float[] values = key.tensor().toFloats();
    if (key.scale() != null) {
      float[] factors = key.scale().toFloats();
      int row = values.length / factors.length;
      for (int i = 0; i < values.length; i++) {
        values[i] *= factors[i / row];
      }
    }
    return values;
  }

  @Override
  public synchronized void close() {
    for (TornadoExecutable executable : executables) {
      executable.close();
    }
    executables.clear();
    parameters.clear();
    halves.clear();
  }
}
