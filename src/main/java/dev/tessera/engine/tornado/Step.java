package dev.tessera.engine.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * One kernel with its arguments.
 *
 * @param name the task's name, its own in all of the graph
 * @param arrays what the kernel reads and writes
 * @param changed those of them that it writes and that may be variables
 */
record Step(
    String name, WorkerGrid grid, List<FloatArray> arrays, List<FloatArray> changed, Task task) {
  /** Appends the kernel to a task graph under a name. */
  interface Task {
    void addTo(TaskGraph graph, String name);
  }
}
