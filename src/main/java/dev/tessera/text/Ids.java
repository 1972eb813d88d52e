package dev.tessera.text;

import java.util.Arrays;

/** A list of ids that grows. */
final class Ids {
  private int[] values = new int[32];
  private int size;

  void add(int id) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = id;
  }

  void addAll(int[] ids) {
    for (int id : ids) {
      add(id);
    }
  }

  int size() {
    return size;
  }

  /** The id that was added last. */
  int last() {
    return values[size - 1];
  }

  /** Forgets all but the first {@code count}. */
  void truncate(int count) {
    size = count;
  }

  int[] toArray() {
    return Arrays.copyOf(values, size);
  }
}
