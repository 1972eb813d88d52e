package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.WorkerGrid2D;

/** Grids that fit the kernels. */
public final class Grids {
  private Grids() {}

  /** At least {@code count} work-items in groups of {@code group}. */
  public static WorkerGrid items(int count, int group) {
    WorkerGrid grid = new WorkerGrid1D(roundUp(count, group));
    grid.setLocalWork(group, 1, 1);
    return grid;
  }

  /** One group of {@code group} work-items for each of {@code count} rows. */
  public static WorkerGrid groups(int count, int group) {
    return items(Math.multiplyExact(count, group), group);
  }

  /** {@code across} by {@code down} groups of {@code width} by {@code height} work-items. */
  public static WorkerGrid tiles(int across, int down, int width, int height) {
    WorkerGrid grid =
        new WorkerGrid2D(Math.multiplyExact(across, width), Math.multiplyExact(down, height));
    grid.setLocalWork(width, height, 1);
    return grid;
  }

  /** The smallest multiple of {@code step} that is not below {@code value}. */
  public static int roundUp(int value, int step) {
    return Math.multiplyExact(Math.ceilDiv(value, step), step);
  }
}
