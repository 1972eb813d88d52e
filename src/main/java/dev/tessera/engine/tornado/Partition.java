package dev.tessera.engine.tornado;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Steps divided into as few task graphs as TornadoVM's limits allow: 256 tasks, 1024 nodes of its
 * internal graph.
 *
 * <p>What the host has, parameters, inputs and variables, each graph gets from there, and a graph
 * that changes variables gives them back. What is computed and used by a later graph is handed on
 * through all graphs between, because TornadoVM hands arrays to the next graph only.
 */
final class Partition {
  static final int MAX_TASKS = 250;

  /** Less than 1024: each number among the arguments is a node, too, and these are not counted. */
  private static final int MAX_NODES = 720;

  /** An array, its transfer and its release. */
  private static final int NODES_OF_ARRAY = 3;

  /** A task, what it writes, and variables that come back. */
  private static final int NODES_OF_TASK = 5;

  private final Set<TornadoNativeArray> uploads;
  private final Set<TornadoNativeArray> fromHost;
  private final List<List<Step>> parts = new ArrayList<>();

  /** The first and the last part that uses each computed array. */
  private final Map<TornadoNativeArray, int[]> spans = new LinkedHashMap<>();

  /**
   * @param uploads parameters: copied to the device once, to every part that uses them
   * @param fromHost inputs and variables: copied to the device for every execution
   */
  Partition(
      List<Step> steps,
      Set<TornadoNativeArray> uploads,
      Set<TornadoNativeArray> fromHost,
      int maxTasks) {
    this.uploads = uploads;
    this.fromHost = fromHost;
    Map<TornadoNativeArray, Integer> lastUse = new HashMap<>();
    for (int i = 0; i < steps.size(); i++) {
      for (TornadoNativeArray array : steps.get(i).arrays()) {
        lastUse.put(array, i);
      }
    }
    List<Step> part = new ArrayList<>();
    Set<TornadoNativeArray> arrays = new HashSet<>();
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      Set<TornadoNativeArray> more = new HashSet<>(arrays);
      more.addAll(step.arrays());
      int nodes = NODES_OF_ARRAY * more.size() + NODES_OF_TASK * (part.size() + 1);
      if (part.size() == maxTasks || (nodes > MAX_NODES && !part.isEmpty())) {
        parts.add(part);
        part = new ArrayList<>();
        more = new HashSet<>(step.arrays());
        for (TornadoNativeArray computed : spans.keySet()) {
          if (lastUse.getOrDefault(computed, -1) >= i) {
            more.add(computed);
          }
        }
      }
      part.add(step);
      arrays = more;
      for (TornadoNativeArray array : step.arrays()) {
        if (!uploads.contains(array) && !fromHost.contains(array)) {
          spans.computeIfAbsent(array, _ -> new int[] {parts.size(), 0})[1] = parts.size();
        }
      }
    }
    parts.add(part);
  }

  /** Grids for all parts. */
  GridScheduler grids() {
    GridScheduler grids = new GridScheduler();
    for (int i = 0; i < parts.size(); i++) {
      for (Step step : parts.get(i)) {
        if (step.grid() != null) {
          grids.addWorkerGrid(name(i) + "." + step.name(), step.grid());
        }
      }
    }
    return grids;
  }

  /**
   * The task graphs, to be executed in this order.
   *
   * @param outputs computed arrays, copied from the device after every execution
   */
  ImmutableTaskGraph[] graphs(Collection<? extends TornadoNativeArray> outputs) {
    ImmutableTaskGraph[] graphs = new ImmutableTaskGraph[parts.size()];
    for (int i = 0; i < graphs.length; i++) {
      TaskGraph graph = new TaskGraph(name(i));
      Set<TornadoNativeArray> used = new LinkedHashSet<>();
      Set<TornadoNativeArray> results = new LinkedHashSet<>();
      parts.get(i).forEach(step -> used.addAll(step.arrays()));
      parts.get(i).forEach(step -> results.addAll(step.changed()));
      results.retainAll(fromHost);
      for (TornadoNativeArray array : used) {
        if (uploads.contains(array)) {
          graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, array);
        } else if (fromHost.contains(array)) {
          graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, array);
        }
      }
      Set<TornadoNativeArray> kept = new LinkedHashSet<>();
      for (Map.Entry<TornadoNativeArray, int[]> entry : spans.entrySet()) {
        TornadoNativeArray array = entry.getKey();
        int first = entry.getValue()[0];
        int last = entry.getValue()[1];
        if (i < first || i > last) {
          continue;
        }
        if (i > first) {
          graph.consumeFromDevice(name(i - 1), array);
        } else {
          graph.transferToDevice(DataTransferMode.UNDER_DEMAND, array);
        }
        if (i < last) {
          kept.add(array);
        } else if (outputs.contains(array)) {
          results.add(array);
        }
      }
      for (Step step : parts.get(i)) {
        step.task().addTo(graph, step.name());
      }
      if (!results.isEmpty()) {
        graph.transferToHost(DataTransferMode.EVERY_EXECUTION, results.toArray());
      }
      if (!kept.isEmpty()) {
        graph.persistOnDevice(kept.toArray());
      }
      graphs[i] = graph.snapshot();
    }
    return graphs;
  }

  /** All steps, in the order of their execution. */
  List<Step> steps() {
    return parts.stream().flatMap(List::stream).toList();
  }

  private static String name(int part) {
    return "part" + part;
  }
}
