package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pieces of a vocabulary in the order of their bytes, to find all that a text goes on with: each
 * further byte narrows the range of pieces that are possible.
 */
final class SortedPieces {
  private record Entry(byte[] bytes, int id) {}

  /** Told of every piece found, the shortest first. */
  interface Found {
    void accept(int length, int id);
  }

  private final byte[][] pieces;
  private final int[] ids;
  private final int[] firstOf = new int[257];

  /** Of two equal pieces the one added last counts. */
  static final class Builder {
    private final List<Entry> entries = new ArrayList<>();

    void add(String piece, int id) {
      if (!piece.isEmpty()) {
        entries.add(new Entry(piece.getBytes(StandardCharsets.UTF_8), id));
      }
    }

    SortedPieces build() {
      entries.sort((a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes));
      List<Entry> unique = new ArrayList<>(entries.size());
      for (Entry entry : entries) {
        if (!unique.isEmpty() && Arrays.equals(unique.getLast().bytes, entry.bytes)) {
          unique.removeLast();
        }
        unique.add(entry);
      }
      return new SortedPieces(unique);
    }
  }

  private SortedPieces(List<Entry> entries) {
    pieces = new byte[entries.size()][];
    ids = new int[entries.size()];
    for (int i = 0; i < pieces.length; i++) {
      pieces[i] = entries.get(i).bytes;
      ids[i] = entries.get(i).id;
    }
    for (int first = 0, i = 0; first <= 256; first++) {
      while (i < pieces.length && (pieces[i][0] & 0xff) < first) {
        i++;
      }
      firstOf[first] = i;
    }
  }

  boolean isEmpty() {
    return pieces.length == 0;
  }

  /** Finds every piece that the text at {@code from} begins with. */
  void find(byte[] text, int from, int to, Found found) {
    int first = text[from] & 0xff;
    int low = firstOf[first];
    int high = firstOf[first + 1];
    for (int depth = 1; low < high; depth++) {
      if (pieces[low].length == depth) {
        found.accept(depth, ids[low]);
        low++;
      }
      if (from + depth == to) {
        return;
      }
      int next = text[from + depth] & 0xff;
      low = bound(low, high, depth, next);
      high = bound(low, high, depth, next + 1);
    }
  }

  /** Length in bytes of the longest piece that the text at {@code from} begins with, or 0. */
  int longest(byte[] text, int from, int to) {
    int[] longest = new int[1];
    if (!isEmpty()) {
      find(text, from, to, (length, id) -> longest[0] = length);
    }
    return longest[0];
  }

  /** The first piece from {@code low} on whose byte at {@code depth} is not below {@code label}. */
  private int bound(int low, int high, int depth, int label) {
    int from = low;
    int to = high;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if ((pieces[middle][depth] & 0xff) < label) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}
