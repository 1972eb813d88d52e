package uk.ac.manchester.tornado.api;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** The grid of each task, by the name {@code graph.task}. */
public class GridScheduler {
  private final Map<String, WorkerGrid> grids = new LinkedHashMap<>();

  public GridScheduler() {}

  public GridScheduler(String taskName, WorkerGrid workerGrid) {
    grids.put(taskName, workerGrid);
  }

  public void addWorkerGrid(String taskName, WorkerGrid workerGrid) {
    grids.put(taskName, workerGrid);
  }

  @SuppressWarnings("NullAway") // null as in the original, which knows no annotations
  public WorkerGrid get(String taskName) {
    return grids.get(taskName);
  }

  public boolean contains(String taskScheduleName, String taskName) {
    return grids.containsKey(taskScheduleName + "." + taskName);
  }

  public Set<String> keySet() {
    return grids.keySet();
  }
}
