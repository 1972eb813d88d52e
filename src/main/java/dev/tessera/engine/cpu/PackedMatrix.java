package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;

import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

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
  /**
   * Packs {@code weight} {@code [out, in]}, of any floating type.
   *
   * @param bias {@code [out]} or null for zeros
   * @param scale {@code [out]} or null: a LayerScale, folded in because (W·x + b)·s = (sW)·x + sb
   */
  static PackedMatrix pack(
      Arena arena,
      WorkerPool pool,
      Tensor weight,
      float @Nullable [] bias,
      float @Nullable [] scale) {
    int out = weight.shape().extent(0);
    int in = weight.shape().extent(1);
    int panels = Lanes.panels(out);
    float[] paddedBias = new float[panels * COLUMNS];
    for (int i = 0; bias != null && i < out; i++) {
      paddedBias[i] = bias[i] * (scale == null ? 1 : scale[i]);
    }
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
          float[] source = sources[worker];
          weight.copyTo((long) first * in, source, 0, columns * in);
          for (int column = 0; scale != null && column < columns; column++) {
            for (int k = 0; k < in; k++) {
              source[column * in + k] *= scale[first + column];
            }
          }
          Packing.columns(source, 0, in, columns, in, 1f, targets[worker], 0);
          NativeFloats.copy(
              targets[worker], 0, address + panel * panelFloats * Float.BYTES, in * COLUMNS);
        });
    return new PackedMatrix(address, in, out, paddedBias);
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
