package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Kernels of a device, and the arrays through which a run reaches them.
 *
 * <p>Where {@link Partition} has room for them, variables stay on the device from run to run: those
 * that these kernels alone change until somebody wants to know them, those that they only read
 * until somebody changes them. The others are uploaded for each run, and come back if they are
 * changed.
 */
final class TornadoExecutable implements Executable, Variables.Holder, AutoCloseable {
  /**
   * @param rows if not 0, elements are ids and must be below
   */
  record Input(String name, Shape shape, FloatArray array, int rows) {}

  record Output(Shape shape, FloatArray array) {}

  private final TornadoEngine engine;
  private final DeviceProbe probe;
  private final @Nullable Consumer<String> profile;
  private final List<Step> steps;
  private final Set<TornadoNativeArray> uploads;
  private final List<Input> inputs;
  private final List<Deployment.Variable> variables;
  private final Map<String, Output> outputs;
  private @Nullable Deployment deployment;

  /** Whether the device has newer values of variables than the host. */
  private boolean holds;

  /** Why such values are lost. */
  private @Nullable DeviceFailure loss;

  /**
   * @param steps in the order of their execution
   * @param uploads parameters: copied to the device once
   */
  TornadoExecutable(
      TornadoEngine engine,
      List<Step> steps,
      Set<TornadoNativeArray> uploads,
      List<Input> inputs,
      List<Deployment.Variable> variables,
      Map<String, Output> outputs) {
    this.engine = engine;
    this.probe = engine.probe();
    this.profile = engine.profile();
    this.steps = List.copyOf(steps);
    this.uploads = uploads;
    this.inputs = List.copyOf(inputs);
    this.variables = List.copyOf(variables);
    this.outputs = outputs;
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> tensors) {
    for (Input input : inputs) {
      Tensor tensor = Executable.input(tensors, input.name(), input.shape());
      float[] values = tensor.toFloats();
      for (int i = 0; i < values.length && input.rows() > 0; i++) {
        Executable.row(values[i], input.rows());
      }
      MemorySegment.copy(
          MemorySegment.ofArray(values), 0, input.array().getSegment(), 0, 4L * values.length);
    }
    variables.forEach(variable -> variable.values().settleFor(this));
    try {
      Deployment ready = deployed();
      ready.run(this);
      holds = !ready.residents().isEmpty();
    } catch (RuntimeException | Error e) {
      throw abandon(failure(e));
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    outputs.forEach((name, output) ->
        results.put(name, Tensor.of(output.shape(), output.array().toHeapArray())));
    return results;
  }

  /** Task graphs with the present variables: new ones if somebody wrote what stays there. */
  private Deployment deployed() {
    if (loss != null) {
      throw loss;
    }
    if (deployment != null && deployment.isOutdated()) {
      close();
    }
    if (deployment == null) {
      deployment = deploy();
    }
    return deployment;
  }

  /** Not before the first run: until then nobody knows what other graphs will change. */
  private Deployment deploy() {
    Set<TornadoNativeArray> fromHost = new HashSet<>();
    inputs.forEach(input -> fromHost.add(input.array()));
    variables.forEach(variable -> fromHost.add(variable.array()));
    Set<TornadoNativeArray> lasting = new HashSet<>();
    Set<TornadoNativeArray> fixed = new HashSet<>();
    for (Deployment.Variable variable : variables) {
      if (!variable.changed()) {
        fixed.add(variable.array());
      } else if (!engine.hasAnotherThatChanges(variable.values(), this)) {
        lasting.add(variable.array());
      }
    }
    return new Deployment(
        probe,
        new Partition(steps, uploads, fromHost, lasting, fixed, engine.maxTasks()),
        variables,
        outputs.values().stream().map(Output::array).toList(),
        profile);
  }

  /**
   * {@inheritDoc}
   *
   * @throws DeviceFailure if a run that failed took them along
   */
  @Override
  public void settle() {
    if (loss != null) {
      throw loss;
    }
    if (holds && deployment != null) {
      try {
        deployment.download();
        holds = false;
      } catch (RuntimeException | Error e) {
        throw abandon(failure(e));
      }
    }
  }

  /** Whether a run changes a variable. */
  boolean changes(Variables.Variable values) {
    return variables.stream()
        .anyMatch(variable -> variable.changed() && variable.values() == values);
  }

  /** The variables that stay on the device; none before the first run. */
  Set<Deployment.Variable> residents() {
    return deployment == null ? Set.of() : deployment.residents();
  }

  /** The kernels of a run. */
  List<Step> steps() {
    return steps;
  }

  /** Gives the device's memory back, after what variables have become. */
  @Override
  public void close() {
    if (deployment != null) {
      settle();
      closeDeployment();
    }
  }

  /** Leaves the device after a failure: variables may have been changed by half. */
  private DeviceFailure abandon(DeviceFailure failure) {
    if (holds) {
      loss = failure;
    }
    try {
      closeDeployment();
    } catch (DeviceFailure e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  private void closeDeployment() {
    Deployment present = deployment;
    deployment = null;
    try {
      if (present != null) {
        present.close();
      }
    } catch (TornadoExecutionPlanException | RuntimeException | Error e) {
      // An error, too: of arrays for which there was no room.
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
    if (e instanceof DeviceFailure known) {
      return known;
    }
    String kind = e.getClass().getSimpleName();
    String text = (kind + e.getMessage()).toLowerCase(Locale.ROOT);
    if (text.contains("outofmemory") || text.contains("unable to allocate")) {
      return new DeviceFailure(
          "device "
              + probe.name()
              + " has not enough memory for this model and batch; take a smaller --batch-size.",
          e);
    }
    return new DeviceFailure("device " + probe.name() + " failed: " + Reason.of(e) + ".", e);
  }
}
