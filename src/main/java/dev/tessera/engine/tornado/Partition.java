package dev.tessera.engine.tornado;

import dev.tessera.kernels.Elementwise;
import dev.tessera.kernels.Grids;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Steps divided into as few task graphs as TornadoVM's limits allow: 256 tasks, 1024 nodes of its
 * internal graph.
 *
 * <p>What is computed and used by a later graph is handed on through all graphs between, because
 * TornadoVM hands arrays to the next graph only. So are resident variables, those that stay on the
 * device from one execution to the next, and parameters: the first graph that uses one uploads it
 * before its first execution, and what all others read or change is this array. Variables that are
 * only read are uploaded by a graph of their own, to be executed when they have changed, and handed
 * on from there to the last graph. Everything else that the host has each graph gets from there,
 * and a graph that changes variables gives them back.
 */
final class Partition {
  static final int MAX_TASKS = 250;

  /** Less than 1024: each number among the arguments is a node, too, and these are not counted. */
  private static final int MAX_NODES = 720;

  /** An array that tasks use, its transfer and its release; one that is only handed on is one. */
  private static final int NODES_OF_ARRAY = 3;

  /** A task, what it writes, and variables that come back. */
  private static final int NODES_OF_TASK = 5;

  /** No more arrays are handed on if they can come from the host: tasks need room. */
  private static final int MAX_HANDED_ON = 300;

  /** In place of a part: the graph before all others, which uploads what is only read. */
  private static final int REFRESH = -1;

  private static final String REFRESHING = "fill";

  private final Set<TornadoNativeArray> uploads;
  private final Set<TornadoNativeArray> resident;
  private final Set<TornadoNativeArray> refreshed;
  private final List<List<Step>> parts = new ArrayList<>();

  /** The first and the last part that uses each array that is computed, resident or handed on. */
  private final Map<TornadoNativeArray, Span> spans = new LinkedHashMap<>();

  /** From the first to the last step, or part, that uses an array. */
  private record Span(int first, int last) {
    boolean isOne() {
      return first == last;
    }

    /** Whether the array must be there before {@code next} and is used by it or a later one. */
    boolean crosses(int next) {
      return first < next && next <= last;
    }
  }

  /**
   * @param uploads parameters: copied to the device once; to every part that uses them where there
   *     is no room to hand them on
   * @param fromHost inputs and variables: copied to the device for every execution
   * @param lasting those of them that may be resident instead; they are as long as there is room,
   *     large ones first
   * @param fixed those of them that nothing changes here, with the same limit
   */
  Partition(
      List<Step> steps,
      Set<TornadoNativeArray> uploads,
      Set<TornadoNativeArray> fromHost,
      Set<TornadoNativeArray> lasting,
      Set<TornadoNativeArray> fixed,
      int maxTasks) {
    this.uploads = uploads;
    Map<TornadoNativeArray, Span> computed = new LinkedHashMap<>();
    Map<TornadoNativeArray, Span> variables = new LinkedHashMap<>();
    Map<TornadoNativeArray, Span> parameters = new LinkedHashMap<>();
    Map<TornadoNativeArray, Span> read = new LinkedHashMap<>();
    for (int i = 0; i < steps.size(); i++) {
      for (TornadoNativeArray array : steps.get(i).arrays()) {
        if (lasting.contains(array)) {
          extend(variables, array, i);
        } else if (fixed.contains(array)) {
          read.put(array, new Span(REFRESH, steps.size() - 1));
        } else if (uploads.contains(array)) {
          extend(parameters, array, i);
        } else if (!fromHost.contains(array)) {
          extend(computed, array, i);
        }
      }
    }
    int[] handedOn = new int[steps.size()]; // from earlier steps to this one or a later one
    computed.values().forEach(span -> count(span, handedOn));
    resident = choose(variables, handedOn);
    refreshed = choose(read, handedOn);
    Set<TornadoNativeArray> staying = new HashSet<>(computed.keySet());
    staying.addAll(resident);
    staying.addAll(choose(parameters, handedOn));
    List<Step> part = new ArrayList<>();
    Set<TornadoNativeArray> used = new HashSet<>();
    int start = 0;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      Set<TornadoNativeArray> more = new HashSet<>(used);
      more.addAll(step.arrays());
      int nodes =
          handedOn[start] + NODES_OF_ARRAY * more.size() + NODES_OF_TASK * (part.size() + 1);
      if (part.size() == maxTasks || (nodes > MAX_NODES && !part.isEmpty())) {
        parts.add(part);
        part = new ArrayList<>();
        more = new HashSet<>(step.arrays());
        start = i;
      }
      part.add(step);
      used = more;
      int here = parts.size();
      for (TornadoNativeArray array : step.arrays()) {
        if (staying.contains(array)) {
          extend(spans, array, here);
        }
      }
    }
    parts.add(part);
    refreshed.forEach(array -> spans.put(array, new Span(REFRESH, parts.size() - 1)));
    spans
        .entrySet()
        .removeIf(entry -> uploads.contains(entry.getKey()) && entry.getValue().isOne());
  }

  /** Has a later step, or part, use an array, too. */
  private static void extend(
      Map<TornadoNativeArray, Span> spans, TornadoNativeArray array, int to) {
    Span span = spans.getOrDefault(array, new Span(to, to));
    spans.put(array, new Span(span.first(), to));
  }

  /** Adds an array to what is handed on. */
  private static void count(Span span, int[] handedOn) {
    for (int i = span.first() + 1; i <= span.last(); i++) {
      handedOn[i]++;
    }
  }

  /** Arrays that there is room for, the largest first, added to what is handed on. */
  private static Set<TornadoNativeArray> choose(
      Map<TornadoNativeArray, Span> candidates, int[] handedOn) {
    Set<TornadoNativeArray> chosen = new LinkedHashSet<>();
    candidates.entrySet().stream()
        .sorted(Comparator.comparingLong(entry -> -entry.getKey().getNumBytesOfSegment()))
        .forEach(entry -> {
          Span span = entry.getValue();
          if (IntStream.range(0, handedOn.length)
              .noneMatch(i -> span.crosses(i) && handedOn[i] >= MAX_HANDED_ON)) {
            chosen.add(entry.getKey());
            count(span, handedOn);
          }
        });
    return chosen;
  }

  /** The variables that stay on the device. */
  Set<TornadoNativeArray> resident() {
    return resident;
  }

  /** Variables that stay on the device until others change them. */
  Set<TornadoNativeArray> refreshed() {
    return refreshed;
  }

  /** The part, by its position, that is asked for what a resident variable has become. */
  int lastPart(TornadoNativeArray variable) {
    return Objects.requireNonNull(spans.get(variable)).last();
  }

  /** Grids for all parts. */
  GridScheduler grids() {
    GridScheduler grids = new GridScheduler();
    if (!refreshed.isEmpty()) {
      grids.addWorkerGrid(name(REFRESH) + "." + REFRESHING, Grids.items(1, 1));
    }
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
      used.removeAll(spans.keySet());
      results.removeAll(spans.keySet());
      for (TornadoNativeArray array : used) {
        graph.transferToDevice(
            uploads.contains(array)
                ? DataTransferMode.FIRST_EXECUTION
                : DataTransferMode.EVERY_EXECUTION,
            array);
      }
      Set<TornadoNativeArray> kept = new LinkedHashSet<>();
      for (Map.Entry<TornadoNativeArray, Span> entry : spans.entrySet()) {
        TornadoNativeArray array = entry.getKey();
        Span span = entry.getValue();
        if (i < span.first() || i > span.last()) {
          continue;
        }
        if (i > span.first()) {
          graph.consumeFromDevice(name(i - 1), array);
        } else {
          boolean fromHost = uploads.contains(array) || resident.contains(array);
          graph.transferToDevice(
              fromHost ? DataTransferMode.FIRST_EXECUTION : DataTransferMode.UNDER_DEMAND, array);
        }
        if (i < span.last() || resident.contains(array) || refreshed.contains(array)) {
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

  /** The task graph that uploads what is {@link #refreshed}, to be executed before the others. */
  ImmutableTaskGraph refreshing() {
    FloatArray any = new FloatArray(1); // TornadoVM has no task graph without a task
    KernelContext context = new KernelContext();
    return new TaskGraph(name(REFRESH))
        .transferToDevice(DataTransferMode.EVERY_EXECUTION, refreshed.toArray())
        .transferToDevice(DataTransferMode.UNDER_DEMAND, any)
        .task(REFRESHING, Elementwise::fill, context, any, 1, 0f)
        .persistOnDevice(refreshed.toArray())
        .snapshot();
  }

  private static String name(int part) {
    return part == REFRESH ? "refresh" : "part" + part;
  }
}
