package uk.ac.manchester.tornado.api;

import org.jspecify.annotations.Nullable;

/** What grids of one, two and three dimensions share. */
public abstract class AbstractWorkerGrid implements WorkerGrid {
  private long[] global;
  private long @Nullable [] local;

  protected AbstractWorkerGrid(long x, long y, long z) {
    global = new long[] {x, y, z};
  }

  @Override
  public long[] getGlobalWork() {
    return global;
  }

  @Override
  @SuppressWarnings("NullAway") // null as in the original, which knows no annotations
  public long[] getLocalWork() {
    return local;
  }

  @Override
  public void setGlobalWork(long x, long y, long z) {
    global = new long[] {x, y, z};
  }

  @Override
  public void setLocalWork(long x, long y, long z) {
    local = new long[] {x, y, z};
  }

  @Override
  public void setLocalWorkToNull() {
    local = null;
  }
}
