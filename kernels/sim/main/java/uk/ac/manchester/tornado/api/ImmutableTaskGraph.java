package uk.ac.manchester.tornado.api;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.DeviceMemory;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** A task graph that no longer changes, with its memory on the device once a plan executes it. */
public class ImmutableTaskGraph {
  /** Kernels see device memory through the host's arrays, so one plan runs at a time. */
  private static final ReentrantLock DEVICE = new ReentrantLock();

  private static final int MAX_GROUP = 1024;

  private final String name;
  private final List<GraphTask> tasks;
  private final Map<TornadoNativeArray, Integer> toDevice;
  private final Map<TornadoNativeArray, Integer> toHost;
  private final Map<TornadoNativeArray, String> consumed;
  private final ProfileLog log = new ProfileLog();
  private @Nullable DeviceMemory memory;

  ImmutableTaskGraph(
      String name,
      List<GraphTask> tasks,
      Map<TornadoNativeArray, Integer> toDevice,
      Map<TornadoNativeArray, Integer> toHost,
      Map<TornadoNativeArray, String> consumed) {
    this.name = name;
    this.tasks = List.copyOf(tasks);
    this.toDevice = Map.copyOf(toDevice);
    this.toHost = Map.copyOf(toHost);
    this.consumed = Map.copyOf(consumed);
  }

  /** Executes all tasks once. */
  void execute(
      GridScheduler grids,
      DeviceMemory.Budget budget,
      @Nullable ImmutableTaskGraph before,
      boolean hasLibraries,
      boolean profiled) {
    for (GraphTask task : tasks) {
      if (!task.isLibrary()) {
        checkGrid(task, grids);
      } else if (!hasLibraries) {
        throw new TornadoRuntimeException(
            "task " + name + "." + task.id() + " calls a library, and the device has none");
      }
    }
    DEVICE.lock();
    try {
      long start = System.nanoTime();
      transferIn(budget, before);
      log.add("COPY_IN_TIME", System.nanoTime() - start);
      DeviceMemory present = Objects.requireNonNull(memory);
      for (GraphTask task : tasks) {
        String full = name + "." + task.id();
        long begin = System.nanoTime();
        if (task.isLibrary()) {
          present.during(task.arguments().toArray(), task::call);
        } else {
          run(task, grids.get(full), present);
        }
        log.task(full, System.nanoTime() - begin);
      }
      start = System.nanoTime();
      for (Map.Entry<TornadoNativeArray, Integer> entry : toHost.entrySet()) {
        if (entry.getValue() == DataTransferMode.EVERY_EXECUTION) {
          present.toHost(entry.getKey());
          if (!hasLibraries) { // on CUDA TornadoVM does not measure them
            log.add("TOTAL_COPY_OUT_SIZE_BYTES", entry.getKey().getNumBytesOfSegment());
          }
        }
      }
      if (!hasLibraries) {
        log.add("COPY_OUT_TIME", System.nanoTime() - start);
      }
      if (profiled) {
        log.finish(name);
      }
    } finally {
      log.clear();
      DEVICE.unlock();
    }
  }

  private void transferIn(DeviceMemory.Budget budget, @Nullable ImmutableTaskGraph before) {
    boolean first = memory == null;
    DeviceMemory present = first ? new DeviceMemory(budget) : Objects.requireNonNull(memory);
    for (Map.Entry<TornadoNativeArray, String> entry : consumed.entrySet()) {
      TornadoNativeArray array = entry.getKey();
      // As 5.2 does it: from the graph that ran last, whatever name was given.
      if (before == null || !before.holds(array)) {
        throw new TornadoRuntimeException(
            "task graph "
                + name
                + " consumes from "
                + entry.getValue()
                + " what "
                + (before == null ? "no other" : before.name)
                + ", which ran just before, does not persist");
      }
      present.alias(array, Objects.requireNonNull(before.memory));
    }
    for (Map.Entry<TornadoNativeArray, Integer> entry : toDevice.entrySet()) {
      boolean copied =
          entry.getValue() == DataTransferMode.EVERY_EXECUTION
              || (first && entry.getValue() == DataTransferMode.FIRST_EXECUTION);
      if (copied) {
        present.toDevice(entry.getKey());
        log.add("TOTAL_COPY_IN_SIZE_BYTES", entry.getKey().getNumBytesOfSegment());
      }
    }
    for (GraphTask task : tasks) {
      for (Object argument : task.arguments()) {
        if (argument instanceof TornadoNativeArray array) {
          present.allocate(array);
        }
      }
    }
    memory = present;
  }

  private boolean holds(TornadoNativeArray array) {
    return toHost.containsKey(array) && memory != null && memory.contains(array);
  }

  private void checkGrid(GraphTask task, GridScheduler grids) {
    String full = name + "." + task.id();
    if (!grids.contains(name, task.id())) {
      throw new TornadoRuntimeException("task " + full + " has a KernelContext and no worker grid");
    }
    WorkerGrid grid = grids.get(full);
    int group = 1;
    for (int axis = 0; axis < 3; axis++) {
      long global = grid.getGlobalWork()[axis];
      long local = local(grid)[axis];
      if (global < 1 || local < 1 || global % local != 0) {
        throw new TornadoRuntimeException(
            "task "
                + full
                + ": "
                + global
                + " work-items in groups of "
                + local
                + " on axis "
                + axis);
      }
      group *= (int) local;
    }
    if (group > MAX_GROUP) {
      throw new TornadoRuntimeException(
          "task " + full + ": groups of " + group + " work-items, the device takes " + MAX_GROUP);
    }
  }

  /** Groups of one where the runtime may choose: a kernel must not rely on anything larger. */
  private static long[] local(WorkerGrid grid) {
    long @Nullable [] local = grid.getLocalWork();
    return local == null ? new long[] {1, 1, 1} : local;
  }

  private void run(GraphTask task, WorkerGrid grid, DeviceMemory present) {
    int[] global = new int[3];
    int[] local = new int[3];
    int[] groups = new int[3];
    for (int axis = 0; axis < 3; axis++) {
      global[axis] = Math.toIntExact(grid.getGlobalWork()[axis]);
      local[axis] = Math.toIntExact(local(grid)[axis]);
      groups[axis] = global[axis] / local[axis];
    }
    Runnable all =
        () -> {
          for (int z = 0; z < groups[2]; z++) {
            for (int y = 0; y < groups[1]; y++) {
              for (int x = 0; x < groups[0]; x++) {
                new WorkGroup(new int[] {x, y, z}, local, global, task::run).run();
              }
            }
          }
        };
    Throwable[] thrown = new Throwable[1];
    present.during(
        task.arguments().toArray(),
        () -> {
          try {
            Thread.ofVirtual().uncaughtExceptionHandler((_, e) -> thrown[0] = e).start(all).join();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            thrown[0] = e;
          }
        });
    if (thrown[0] != null) {
      TornadoRuntimeException failure =
          new TornadoRuntimeException(
              "task " + name + "." + task.id() + ": " + thrown[0].getMessage());
      failure.initCause(thrown[0]);
      throw failure;
    }
  }

  /** Copies an array to the host if this graph may give it; says whether it did. */
  boolean transferToHost(TornadoNativeArray array) {
    boolean held = holds(array);
    if (held) {
      Objects.requireNonNull(memory).toHost(array);
    }
    return held;
  }

  String profileLog() {
    return log.toString();
  }

  void free() {
    memory = null;
  }

  String name() {
    return name;
  }
}
