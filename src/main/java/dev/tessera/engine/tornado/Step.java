package dev.tessera.engine.tornado;

import java.util.List;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * One kernel, or one call of a library, with its arguments.
 *
 * @param name the task's name, its own in all of the graph
 * @param grid null for a library, which chooses its own
 * @param arrays what the kernel reads and writes
 * @param changed those of them that it writes and that may be variables
 * @param work what it has to do
 */
record Step(
    String name,
    @Nullable WorkerGrid grid,
    List<TornadoNativeArray> arrays,
    List<TornadoNativeArray> changed,
    Work work,
    Task task) {
  /**
   * What a kernel cannot do without, however it is written: by this its time is judged.
   *
   * @param shape the extents of what is multiplied, for people; empty where memory alone counts
   * @param flops floating-point operations of products; an addition is one, too
   * @param bytes what it reads and writes, each element once
   */
  record Work(String shape, long flops, long bytes) {}

  /** Appends the kernel to a task graph under a name. */
  interface Task {
    void addTo(TaskGraph graph, String name);
  }
}
