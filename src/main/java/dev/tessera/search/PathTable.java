package dev.tessera.search;

import java.util.Arrays;

/**
 * Finds the row of a path among those of an index. Eight bytes a row: hashes in order, beside the
 * rows; the paths themselves stay in the mapped file.
 */
public final class PathTable {
  private final Index index;
  private final long[] keys;

  /** Over the pictures that {@code index} has now. */
  public PathTable(Index index) throws IndexException {
    this.index = index;
    long[] all = new long[index.count()];
    int count = 0;
    for (int row = 0; row < index.rowCount(); row++) {
      if (!index.isRemoved(row)) {
        Entry entry = index.entry(row);
        all[count++] = key(entry.root().toString(), entry.path()) | row;
      }
    }
    Arrays.sort(all);
    this.keys = all;
  }

  private static long key(String root, String path) {
    return (long) (31 * root.hashCode() + path.hashCode()) << 32;
  }

  /**
   * The row of a picture.
   *
   * @param root the folder that was indexed, as {@link Entry#root} has it
   * @param path the way from there, with slashes
   * @return -1 if the index does not have it
   */
  public int find(String root, String path) throws IndexException {
    long key = key(root, path);
    int at = Arrays.binarySearch(keys, key);
    for (int i = at < 0 ? -at - 1 : at; i < keys.length && keys[i] >>> 32 == key >>> 32; i++) {
      Entry entry = index.entry((int) keys[i]);
      if (entry.path().equals(path) && entry.root().toString().equals(root)) {
        return (int) keys[i];
      }
    }
    return -1;
  }
}
