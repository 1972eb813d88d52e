package dev.tessera.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Groups of pictures that are the same: files with equal hashes, and pictures whose vectors have at
 * least a certain cosine. Groups are chains: each member is that close to some other one.
 */
public final class Duplicates {
  /**
   * One picture of a group.
   *
   * @param row in the index; -1 where there is none
   * @param exact whether its file equals that of the picture that is kept
   * @param score the cosine with the picture that is kept
   */
  public record Member(int row, Entry entry, boolean exact, float score) {}

  /**
   * Pictures that are the same, at least two; the first is the one to keep: of the largest file,
   * and of those the one whose path comes first.
   */
  public record Group(List<Member> members) {
    public Group {
      members = List.copyOf(members);
    }

    public Member kept() {
      return members.getFirst();
    }
  }

  private final int[] parents;

  private Duplicates(int rows) {
    parents = new int[rows];
    Arrays.setAll(parents, i -> i);
  }

  /**
   * Finds the groups in {@code index}, in the order of the paths of what is kept.
   *
   * @param threshold smallest cosine; above 1 only equal files count
   * @param threads that compare
   */
  public static List<Group> find(Index index, float threshold, int threads) throws IndexException {
    Duplicates sets = new Duplicates(index.rowCount());
    sets.joinEqualFiles(index);
    if (threshold <= 1) {
      try (ExactScan scan = new ExactScan(threads)) {
        scan.join(
            index.rows(),
            threshold,
            (row, other, score) -> {
              if (!index.isRemoved(row) && !index.isRemoved(other)) {
                sets.join(row, other);
              }
            });
      }
    }
    Map<Integer, List<Integer>> groups = new LinkedHashMap<>();
    for (int row = 0; row < index.rowCount(); row++) {
      groups.computeIfAbsent(sets.find(row), root -> new ArrayList<>()).add(row);
    }
    List<Group> found = new ArrayList<>();
    for (List<Integer> rows : groups.values()) {
      if (rows.size() > 1) {
        found.add(group(index, rows));
      }
    }
    found.sort(Comparator.comparing(group -> group.kept().entry().file()));
    return found;
  }

  /** Groups of files with equal hashes, in the order of the paths of what is kept. */
  public static List<Group> ofEqualFiles(List<Entry> entries) {
    Map<String, List<Entry>> byHash = new HashMap<>();
    for (Entry entry : entries) {
      byHash.computeIfAbsent(entry.hashText(), hash -> new ArrayList<>(1)).add(entry);
    }
    List<Group> found = new ArrayList<>();
    for (List<Entry> equal : byHash.values()) {
      if (equal.size() > 1) {
        equal.sort(Comparator.comparing(Entry::file));
        found.add(new Group(equal.stream().map(entry -> new Member(-1, entry, true, 1)).toList()));
      }
    }
    found.sort(Comparator.comparing(group -> group.kept().entry().file()));
    return found;
  }

  private void joinEqualFiles(Index index) throws IndexException {
    Map<String, Integer> first = new HashMap<>();
    for (int row = 0; row < index.rowCount(); row++) {
      if (!index.isRemoved(row)) {
        Integer equal = first.putIfAbsent(index.entry(row).hashText(), row);
        if (equal != null) {
          join(equal, row);
        }
      }
    }
  }

  private static Group group(Index index, List<Integer> rows) throws IndexException {
    Map<Entry, Integer> entries =
        new TreeMap<>(
            Comparator.comparingLong((Entry entry) -> -entry.size()).thenComparing(Entry::file));
    for (int row : rows) {
      entries.put(index.entry(row), row);
    }
    List<Member> members = new ArrayList<>();
    float[] kept = new float[0];
    for (Map.Entry<Entry, Integer> entry : entries.entrySet()) {
      float[] vector = index.rows().get(entry.getValue());
      kept = members.isEmpty() ? vector : kept;
      boolean exact =
          members.isEmpty()
              || Arrays.equals(entry.getKey().hash(), members.getFirst().entry().hash());
      members.add(new Member(entry.getValue(), entry.getKey(), exact, product(kept, vector)));
    }
    return new Group(members);
  }

  private static float product(float[] one, float[] other) {
    double sum = 0;
    for (int i = 0; i < one.length; i++) {
      sum += (double) one[i] * other[i];
    }
    return (float) sum;
  }

  private synchronized void join(int row, int other) {
    int one = find(row);
    int two = find(other);
    parents[Math.max(one, two)] = Math.min(one, two);
  }

  private synchronized int find(int row) {
    int root = row;
    while (parents[root] != root) {
      parents[root] = parents[parents[root]];
      root = parents[root];
    }
    return root;
  }
}
