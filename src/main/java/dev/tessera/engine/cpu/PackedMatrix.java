package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;

import java.lang.foreign.Arena;

/**
 * A linear layer's weights, packed once: panels of {@link Lanes#COLUMNS} output features, each
 * {@code [in][COLUMNS]}, outside the heap and 64-byte aligned, the last one padded with zeros.
 *
 * @param address of the first panel
 * @param in input features: the depth of the product
 * @param out output features
 * @param bias one float for each column of each panel, padded with zeros
 */
record PackedMatrix(long address, int in, int out, float[] bias) {
  /** Packs weights once, for every run. */
  static PackedMatrix pack(Arena arena, WorkerPool pool, StoredWeights weights) {
    int out = weights.out();
    int in = weights.in();
    int panels = Lanes.panels(out);
    long panelFloats = (long) in * COLUMNS;
    long address = NativeFloats.allocate(arena, panels * panelFloats);
    float[][] sources = new float[pool.size()][in * COLUMNS];
    float[][] targets = new float[pool.size()][in * COLUMNS];
    pool.run(
        panels,
        (long) in * out,
        (worker, panel) -> {
          int first = panel * COLUMNS;
          int columns = Math.min(COLUMNS, out - first);
          weights.copyRows(first, columns, sources[worker]);
          Packing.columns(sources[worker], 0, in, columns, in, 1f, targets[worker], 0);
          NativeFloats.copy(
              targets[worker], 0, address + panel * panelFloats * Float.BYTES, in * COLUMNS);
        });
    return new PackedMatrix(address, in, out, weights.paddedBias(panels * COLUMNS));
  }

  /**
   * Room for a matrix that is packed anew on every run.
   *
   * @param address of {@link #floats} floats
   */
  static PackedMatrix at(long address, int in, int out) {
    return new PackedMatrix(address, in, out, new float[Lanes.panels(out) * COLUMNS]);
  }

  /** Floats of the panels of a matrix with these extents. */
  static long floats(int in, int out) {
    return (long) Lanes.panels(out) * COLUMNS * in;
  }

  int panels() {
    return Lanes.panels(out);
  }

  /** Address of step {@code k} of a panel. */
  long panel(int panel, int k) {
    return address + ((long) panel * in + k) * COLUMNS * Float.BYTES;
  }
}
