package dev.tessera.data;

import dev.tessera.image.Draws;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Divides images: seeded, alike in every class, and groups whole. */
final class Splitter {
  /** Keeps these draws apart from those of batches under the same seed. */
  private static final long PURPOSE = 0x53504c4954L;

  /**
   * @param members indices of images
   * @param key random, and a function of the seed and the group's name alone
   */
  private record Group(String name, int[] members, long key) {}

  private Splitter() {}

  /**
   * The rest, then one part for each of {@code fractions}; each in the order of {@code images}.
   *
   * @param name of the data set, for messages
   */
  static LabelledImages[] divide(
      LabelledImages images, double[] fractions, Split.Settings settings, String name)
      throws DataException {
    List<Group> groups = groups(images, settings);
    int[] partOf =
        settings.grouping() instanceof Grouping.None
            ? stratified(images, groups, fractions)
            : balanced(images, groups, fractions);
    LabelledImages[] parts = new LabelledImages[fractions.length + 1];
    for (int part = 0; part < parts.length; part++) {
      int wanted = part;
      int[] members = IntStream.range(0, partOf.length).filter(i -> partOf[i] == wanted).toArray();
      parts[part] = images.subset(members);
      if (members.length == 0 && (part == 0 || fractions[part - 1] > 0)) {
        throw new DataException(
            ("%s cannot be split: %d images in %d groups leave a part without images; ask for"
                    + " another split or grouping")
                .formatted(name, images.size(), groups.size()));
      }
    }
    return parts;
  }

  private static List<Group> groups(LabelledImages images, Split.Settings settings) {
    Map<String, List<Integer>> members = new LinkedHashMap<>();
    for (int i = 0; i < images.size(); i++) {
      members
          .computeIfAbsent(settings.grouping().group(images.get(i)), _ -> new ArrayList<>())
          .add(i);
    }
    List<Group> groups = new ArrayList<>(members.size());
    members.forEach((name, list) -> {
      long key = Draws.of(settings.seed(), PURPOSE, hash(name)).bits();
      groups.add(new Group(name, list.stream().mapToInt(i -> i).toArray(), key));
    });
    groups.sort(Comparator.comparingLong(Group::key).thenComparing(Group::name));
    return groups;
  }

  /** FNV-1a over UTF-16 units, in 64 bits. */
  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }

  /** Every class in proportion; what rounding leaves goes where the largest fraction was cut. */
  private static int[] stratified(LabelledImages images, List<Group> groups, double[] fractions) {
    int[] counts = images.counts();
    int[] partOf = new int[images.size()];
    int[] taken = new int[counts.length];
    for (int part = 0; part < fractions.length; part++) {
      int[] quota = quotas(counts, fractions[part]);
      int[] left = new int[counts.length];
      for (int c = 0; c < counts.length; c++) {
        left[c] = Math.min(quota[c], counts[c] - taken[c]);
        taken[c] += left[c];
      }
      for (Group group : groups) {
        for (int member : group.members) {
          int label = images.get(member).label();
          if (partOf[member] == 0 && left[label] > 0) {
            partOf[member] = part + 1;
            left[label]--;
          }
        }
      }
    }
    return partOf;
  }

  /** {@code fraction} of all {@code counts}, as near to proportion in each as whole numbers go. */
  static int[] quotas(int[] counts, double fraction) {
    int[] quotas = new int[counts.length];
    long total = 0;
    long assigned = 0;
    for (int c = 0; c < counts.length; c++) {
      quotas[c] = (int) Math.floor(counts[c] * fraction);
      assigned += quotas[c];
      total += counts[c];
    }
    long missing = Math.round(total * fraction) - assigned;
    Integer[] order = new Integer[counts.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(c -> quotas[c] - counts[c] * fraction)); // stable
    for (int i = 0; i < missing && i < order.length; i++) {
      quotas[order[i]]++;
    }
    return quotas;
  }

  /**
   * Large groups first, each to the part that it brings nearest to its share of every class: where
   * the sum of squared differences, each by its share, grows least.
   */
  private static int[] balanced(LabelledImages images, List<Group> groups, double[] fractions) {
    int[] counts = images.counts();
    double rest = 1 - Arrays.stream(fractions).sum();
    double[][] have = new double[fractions.length + 1][counts.length];
    List<Group> largest = new ArrayList<>(groups);
    largest.sort(Comparator.comparingInt(group -> -group.members.length)); // stable
    int[] partOf = new int[images.size()];
    int[] perClass = new int[counts.length];
    for (Group group : largest) {
      int[] labels =
          Arrays.stream(group.members).map(i -> images.get(i).label()).distinct().toArray();
      for (int member : group.members) {
        perClass[images.get(member).label()]++;
      }
      int best = 0;
      double least = Double.POSITIVE_INFINITY;
      for (int part = 0; part < have.length; part++) {
        double share = part == 0 ? rest : fractions[part - 1];
        double growth = 0;
        for (int c : labels) {
          growth += perClass[c] * (2 * have[part][c] + perClass[c]) / (share * counts[c]);
        }
        if (share > 0 && growth < least) {
          least = growth;
          best = part;
        }
      }
      for (int c : labels) {
        have[best][c] += perClass[c];
        perClass[c] = 0;
      }
      for (int member : group.members) {
        partOf[member] = best;
      }
    }
    return partOf;
  }
}
