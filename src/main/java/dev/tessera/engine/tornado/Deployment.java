package dev.tessera.engine.tornado;

import dev.tessera.engine.Variables;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Task graphs on their device, with the variables as they were when they came there: what they
 * change and keep is uploaded once, and cannot be uploaded again.
 */
final class Deployment implements AutoCloseable {
  /**
   * What a run reads, but does not come with it.
   *
   * @param array the host's copy of what is on the device
   * @param changed whether a run changes it
   */
  record Variable(Variables.Variable values, FloatArray array, boolean changed) {
    private void fill() {
      MemorySegment.copy(segment(), 0, array.getSegment(), 0, segment().byteSize());
    }

    private void copyBack() {
      MemorySegment.copy(array.getSegment(), 0, segment(), 0, segment().byteSize());
    }

    /** Whether the values are others than what was last seen of the device's. */
    private boolean differs() {
      return array.getSegment().mismatch(segment()) >= 0;
    }

    private MemorySegment segment() {
      return MemorySegment.ofArray(values.array());
    }
  }

  private final TornadoExecutionPlan plan;

  /** Of each task graph; null before the first run. */
  private final @Nullable TornadoExecutionResult[] results;

  /** Variables that come and go with every run. */
  private final List<Variable> moved = new ArrayList<>();

  /** Variables that stay, and how often they had changed when they were last compared. */
  private final Map<Variable, Long> residents = new LinkedHashMap<>();

  /** Variables that stay until others change them, and how often they had when last uploaded. */
  private final Map<Variable, Long> refreshed = new LinkedHashMap<>();

  /** The resident variables' arrays, by the task graph to ask for them. */
  private final Map<Integer, List<FloatArray>> residentsOf = new TreeMap<>();

  private final @Nullable Consumer<String> profile;

  /**
   * @param profile if given, each kernel is measured, which makes runs slower: after each task
   *     graph it gets the log of all of its executions
   */
  Deployment(
      DeviceProbe probe,
      Partition partition,
      List<Variable> variables,
      Collection<FloatArray> outputs,
      @Nullable Consumer<String> profile) {
    this.profile = profile;
    Set<TornadoNativeArray> staying = partition.resident();
    for (Variable variable : variables) {
      if (staying.contains(variable.array())) {
        variable.fill();
        residents.put(variable, variable.values().changes());
        residentsOf
            .computeIfAbsent(partition.lastPart(variable.array()), _ -> new ArrayList<>())
            .add(variable.array());
      } else if (partition.refreshed().contains(variable.array())) {
        refreshed.put(variable, -1L);
      } else {
        moved.add(variable);
      }
    }
    ImmutableTaskGraph[] graphs = partition.graphs(outputs);
    results = new TornadoExecutionResult[graphs.length];
    if (!refreshed.isEmpty()) {
      graphs = Arrays.copyOf(graphs, graphs.length + 1);
      graphs[results.length] = partition.refreshing();
    }
    plan = new TornadoExecutionPlan(graphs);
    plan.withDevice(probe.device());
    plan.withGridScheduler(partition.grids());
    // A recorded graph keeps the addresses of its arrays, and arrays that are handed on from
    // graph to graph change theirs.
    // What CUDA replays, it does not measure.
    if (profile != null) {
      plan.withProfiler(ProfilerMode.SILENT);
    } else if (probe.isCuda() && graphs.length == 1) {
      plan.withCUDAGraph();
    }
  }

  /** Whether somebody gave a resident variable other values than the device's. */
  boolean isOutdated() {
    boolean outdated = false;
    for (Map.Entry<Variable, Long> entry : residents.entrySet()) {
      Variable variable = entry.getKey();
      long changes = variable.values().changes();
      if (changes != entry.getValue()) {
        outdated |= variable.differs();
        entry.setValue(changes);
      }
    }
    return outdated;
  }

  /** Executes all task graphs; what stays on the device is held by {@code holder} from then on. */
  void run(Variables.Holder holder) {
    moved.forEach(Variable::fill);
    refresh();
    for (int i = 0; i < results.length; i++) {
      TornadoExecutionResult result = plan.withGraph(i).execute();
      results[i] = result;
      if (profile != null) {
        profile.accept(result.getProfilerResult().getProfileLog());
      }
    }
    for (Variable variable : moved) {
      if (variable.changed()) {
        variable.copyBack();
        variable.values().changed();
      }
    }
    residents.replaceAll((variable, _) -> {
      variable.values().holdBy(holder);
      return variable.values().changes();
    });
  }

  /** Uploads variables that others may have changed since. */
  private void refresh() {
    boolean current = true;
    for (Map.Entry<Variable, Long> entry : refreshed.entrySet()) {
      long changes = entry.getKey().values().changes();
      current &= changes == entry.getValue();
      entry.setValue(changes);
    }
    if (!current) {
      refreshed.keySet().forEach(Variable::fill);
      plan.withGraph(results.length).execute();
    }
  }

  /** Copies the resident variables to the host. */
  void download() {
    residentsOf.forEach((graph, arrays) -> {
      plan.withGraph(graph);
      Objects.requireNonNull(results[graph]).transferToHost(arrays.toArray());
    });
    for (Variable variable : residents.keySet()) {
      variable.copyBack();
      variable.values().release();
    }
  }

  /** The variables that stay on the device. */
  Set<Variable> residents() {
    return residents.keySet();
  }

  @Override
  public void close() throws TornadoExecutionPlanException {
    plan.close();
  }
}
