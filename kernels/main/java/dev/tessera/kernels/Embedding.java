package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Rows of a table chosen by number: table {@code [entries, width]}, ids {@code [tokens]}, which are
 * whole.
 */
public final class Embedding {
  private Embedding() {}

  /**
   * y is {@code [tokens, width]}; one work-item an element of it. A number outside the table gives
   * zeros.
   */
  public static void lookUp(
      KernelContext context,
      FloatArray ids,
      FloatArray table,
      FloatArray y,
      int tokens,
      int width,
      int entries) {
    int item = context.globalIdx;
    if (item < tokens * width) {
      int id = (int) ids.get(item / width);
      float value = 0f;
      if (id >= 0 && id < entries) {
        value = table.get(id * width + item % width);
      }
      y.set(item, value);
    }
  }

  /** The gradient of the table; one work-item for each of its entries. */
  public static void backward(
      KernelContext context,
      FloatArray ids,
      FloatArray dy,
      FloatArray dTable,
      int tokens,
      int width,
      int entries) {
    int entry = context.globalIdx;
    if (entry < entries) {
      int at = entry * width;
      for (int i = 0; i < width; i++) {
        dTable.set(at + i, 0f);
      }
      for (int token = 0; token < tokens; token++) {
        if ((int) ids.get(token) == entry) {
          for (int i = 0; i < width; i++) {
            dTable.set(at + i, dTable.get(at + i) + dy.get(token * width + i));
          }
        }
      }
    }
  }

  /**
   * Where in each row of ids, {@code [batch, tokens]}, a certain one is first, counted over all
   * rows; place 0 of the row where it is absent. One work-item a row.
   *
   * @param wanted the id; negative for the largest of the row
   */
  public static void positions(
      KernelContext context, FloatArray ids, FloatArray y, int batch, int tokens, int wanted) {
    int row = context.globalIdx;
    if (row < batch) {
      int at = row * tokens;
      float value = wanted;
      if (wanted < 0) {
        value = Softmax.max(ids, at, tokens);
      }
      int place = 0;
      for (int token = tokens - 1; token >= 0; token--) {
        if (ids.get(at + token) == value) {
          place = token;
        }
      }
      y.set(row, at + place);
    }
  }
}
