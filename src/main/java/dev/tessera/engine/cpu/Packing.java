package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import java.util.Arrays;

/** Brings matrices into the order in which {@link VectorKernels#multiplyAdd} reads them. */
final class Packing {
  /** Steps of k transposed at a time, so that what is written stays in the first-level cache. */
  private static final int STEPS = 64;

  private Packing() {}

  /**
   * Up to {@link Lanes#ROWS} rows of a row-major matrix to {@code [depth][ROWS]}; missing rows are
   * zero.
   *
   * @param stride distance between two rows of {@code source}
   */
  static void rows(
      float[] source, int from, int stride, int rows, int depth, float[] target, int to) {
    if (rows < ROWS) {
      Arrays.fill(target, to, to + depth * ROWS, 0f);
    }
    for (int first = 0; first < depth; first += STEPS) {
      int end = Math.min(depth, first + STEPS);
      for (int row = 0; row < rows; row++) {
        int at = from + row * stride;
        int put = to + row;
        for (int k = first; k < end; k++) {
          target[put + k * ROWS] = source[at + k];
        }
      }
    }
  }

  /**
   * A transposed matrix: {@code depth} rows of up to {@link Lanes#ROWS} columns to {@code
   * [depth][ROWS]}, so that the columns become rows of the product; missing columns are zero.
   */
  static void transposedRows(
      float[] source, int from, int stride, int columns, int depth, float[] target, int to) {
    for (int k = 0; k < depth; k++) {
      int at = from + k * stride;
      int put = to + k * ROWS;
      for (int column = 0; column < columns; column++) {
        target[put + column] = source[at + column];
      }
      for (int column = columns; column < ROWS; column++) {
        target[put + column] = 0f;
      }
    }
  }

  /**
   * Up to {@link Lanes#COLUMNS} rows of a row-major matrix, each times {@code scale}, to {@code
   * [depth][COLUMNS]}: columns of the product, as in x·Wᵀ. Missing ones are zero.
   */
  static void columns(
      float[] source,
      int from,
      int stride,
      int columns,
      int depth,
      float scale,
      float[] target,
      int to) {
    if (columns < COLUMNS) {
      Arrays.fill(target, to, to + depth * COLUMNS, 0f);
    }
    for (int first = 0; first < depth; first += STEPS) {
      int end = Math.min(depth, first + STEPS);
      for (int column = 0; column < columns; column++) {
        int at = from + column * stride;
        int put = to + column;
        for (int k = first; k < end; k++) {
          target[put + k * COLUMNS] = source[at + k] * scale;
        }
      }
    }
  }
}
