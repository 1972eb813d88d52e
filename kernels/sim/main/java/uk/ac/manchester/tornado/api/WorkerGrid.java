package uk.ac.manchester.tornado.api;

/** How many work-items a task has in up to three dimensions, and how they form groups. */
public interface WorkerGrid {
  int dimension();

  long[] getGlobalWork();

  /** The size of a group, or null where the runtime is to choose it. */
  long[] getLocalWork();

  void setGlobalWork(long x, long y, long z);

  void setLocalWork(long x, long y, long z);

  void setLocalWorkToNull();
}
