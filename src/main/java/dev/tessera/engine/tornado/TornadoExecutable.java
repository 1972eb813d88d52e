package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Executable;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Task graphs on their device, and the arrays through which a run reaches them. */
final class TornadoExecutable implements Executable, AutoCloseable {
  /**
   * @param rows if not 0, elements are ids and must be below
   */
  record Input(String name, Shape shape, FloatArray array, int rows) {}

  /**
   * What is uploaded for each run, but does not come with it.
   *
   * @param changed whether a run changes it
   */
  record Variable(float[] values, FloatArray array, boolean changed) {}

  record Output(Shape shape, FloatArray array) {}

  private final DeviceProbe probe;
  private final List<Input> inputs;
  private final List<Variable> variables;
  private final Map<String, Output> outputs;
  private final int graphs;
  private final List<Step> steps;
  private final TornadoExecutionPlan plan;
  private final @Nullable Consumer<String> profile;

  /**
   * @param profile if given, each kernel is measured, which makes runs slower: after each task
   *     graph it gets the log of all of its executions
   */
  TornadoExecutable(
      DeviceProbe probe,
      @Nullable Consumer<String> profile,
      Partition partition,
      List<Input> inputs,
      List<Variable> variables,
      Map<String, Output> outputs) {
    this.probe = probe;
    this.profile = profile;
    this.inputs = List.copyOf(inputs);
    this.variables = List.copyOf(variables);
    this.outputs = outputs;
    steps = partition.steps();
    try {
      ImmutableTaskGraph[] built =
          partition.graphs(outputs.values().stream().map(Output::array).toList());
      graphs = built.length;
      plan = new TornadoExecutionPlan(built);
      plan.withDevice(probe.device());
      plan.withGridScheduler(partition.grids());
      // A recorded graph keeps the addresses of its arrays, and arrays that are handed on from
      // graph to graph change theirs.
      // What CUDA replays, it does not measure.
      if (profile != null) {
        plan.withProfiler(ProfilerMode.SILENT);
      } else if (probe.isCuda() && graphs == 1) {
        plan.withCUDAGraph();
      }
    } catch (RuntimeException | Error e) {
      throw failure(e);
    }
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> tensors) {
    for (Input input : inputs) {
      Tensor tensor = Executable.input(tensors, input.name(), input.shape());
      float[] values = tensor.toFloats();
      for (int i = 0; i < values.length && input.rows() > 0; i++) {
        Executable.row(values[i], input.rows());
      }
      fill(input.array(), values);
    }
    for (Variable variable : variables) {
      fill(variable.array(), variable.values());
    }
    try {
      for (int i = 0; i < graphs; i++) {
        TornadoExecutionResult result = plan.withGraph(i).execute();
        if (profile != null) {
          profile.accept(result.getProfilerResult().getProfileLog());
        }
      }
    } catch (RuntimeException | Error e) {
      throw failure(e);
    }
    for (Variable variable : variables) {
      if (variable.changed()) {
        MemorySegment values = MemorySegment.ofArray(variable.values());
        MemorySegment.copy(variable.array().getSegment(), 0, values, 0, values.byteSize());
      }
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    outputs.forEach((name, output) ->
        results.put(name, Tensor.of(output.shape(), output.array().toHeapArray())));
    return results;
  }

  List<Step> steps() {
    return steps;
  }

  private static void fill(FloatArray array, float[] values) {
    MemorySegment.copy(MemorySegment.ofArray(values), 0, array.getSegment(), 0, 4L * values.length);
  }

  @Override
  public void close() {
    try {
      plan.close();
    } catch (TornadoExecutionPlanException e) {
      throw failure(e);
    }
  }

  /**
   * TornadoVM has an exception for each layer, some of them errors; what a person can do about it
   * is one of two.
   */
  private DeviceFailure failure(Throwable e) {
    if (e instanceof VirtualMachineError fatal) {
      throw fatal;
    }
    String kind = e.getClass().getSimpleName();
    String message = String.valueOf(e.getMessage()).strip();
    String text = (kind + message).toLowerCase(Locale.ROOT);
    if (text.contains("outofmemory") || text.contains("unable to allocate")) {
      return new DeviceFailure(
          "device "
              + probe.name()
              + " has not enough memory for this model and batch; take a smaller --batch-size.",
          e);
    }
    return new DeviceFailure(
        "device " + probe.name() + " failed: " + message.lines().findFirst().orElse(kind) + ".", e);
  }
}
