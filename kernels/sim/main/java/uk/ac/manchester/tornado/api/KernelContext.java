package uk.ac.manchester.tornado.api;

import org.jspecify.annotations.Nullable;

/**
 * What a kernel knows of its place: the work-item's position in the grid and in its group, and the
 * memory and the barriers that the group shares.
 */
public class KernelContext {
  public final Integer globalIdx;
  public final Integer globalIdy;
  public final Integer globalIdz;
  public final Integer groupIdx;
  public final Integer groupIdy;
  public final Integer groupIdz;
  public final Integer localIdx;
  public final Integer localIdy;
  public final Integer localIdz;

  /** Work-items in the whole grid. */
  public final Integer globalGroupSizeX;

  public final Integer globalGroupSizeY;
  public final Integer globalGroupSizeZ;

  /** Work-items in a group. */
  public final Integer localGroupSizeX;

  public final Integer localGroupSizeY;
  public final Integer localGroupSizeZ;

  private final @Nullable WorkGroup group;
  private final int item;
  private int allocations;

  /** A placeholder for a task's arguments. */
  public KernelContext() {
    this(null, 0, new int[3], new int[3], new int[3], new int[3]);
  }

  KernelContext(
      @Nullable WorkGroup group, int item, int[] place, int[] position, int[] local, int[] global) {
    this.group = group;
    this.item = item;
    globalIdx = position[0] * local[0] + place[0];
    globalIdy = position[1] * local[1] + place[1];
    globalIdz = position[2] * local[2] + place[2];
    groupIdx = position[0];
    groupIdy = position[1];
    groupIdz = position[2];
    localIdx = place[0];
    localIdy = place[1];
    localIdz = place[2];
    globalGroupSizeX = global[0];
    globalGroupSizeY = global[1];
    globalGroupSizeZ = global[2];
    localGroupSizeX = local[0];
    localGroupSizeY = local[1];
    localGroupSizeZ = local[2];
  }

  /** Waits for all work-items of the group; what they wrote to local memory is then visible. */
  public void localBarrier() {
    group().barrier(item);
  }

  /** Waits for all work-items of the group; what they wrote to arrays is then visible to them. */
  public void globalBarrier() {
    group().barrier(item);
  }

  /** An array that the work-items of a group share; all must ask for it. */
  public float[] allocateFloatLocalArray(int size) {
    return group().floats(allocations++, size);
  }

  /** An array that the work-items of a group share; all must ask for it. */
  public int[] allocateIntLocalArray(int size) {
    return group().ints(allocations++, size);
  }

  private WorkGroup group() {
    if (group == null) {
      throw new IllegalStateException("this kernel runs outside a task graph");
    }
    return group;
  }
}
