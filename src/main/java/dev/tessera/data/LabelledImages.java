package dev.tessera.data;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Images and the classes that their labels mean.
 *
 * @param classes names; a label is an index into them
 * @param images in a fixed order
 */
public record LabelledImages(List<String> classes, List<LabelledImage> images) {
  public LabelledImages {
    classes = List.copyOf(classes);
    images = List.copyOf(images);
    for (LabelledImage image : images) {
      if (image.label() < 0 || image.label() >= classes.size()) {
        throw new IllegalArgumentException(image.id() + " has label " + image.label());
      }
    }
  }

  public int size() {
    return images.size();
  }

  public LabelledImage get(int index) {
    return images.get(index);
  }

  /** How many images each class has. */
  public int[] counts() {
    int[] counts = new int[classes.size()];
    for (LabelledImage image : images) {
      counts[image.label()]++;
    }
    return counts;
  }

  /** The images at {@code indices}, in that order, of the same classes. */
  public LabelledImages subset(int... indices) {
    List<LabelledImage> chosen = new ArrayList<>(indices.length);
    for (int index : indices) {
      chosen.add(images.get(index));
    }
    return new LabelledImages(classes, chosen);
  }

  /**
   * These images with labels that index {@code labels}, such as a model's. Classes are found by
   * name, whatever the case; where all names here are numbers and none of {@code labels} is, they
   * are indices. Where {@code labels} are as many LABEL_0, LABEL_1, ..., as a model saved without
   * names has them, the order counts.
   *
   * @throws DataException if a class with images is not among {@code labels}
   */
  public LabelledImages relabelled(List<String> labels) throws DataException {
    Map<String, Integer> exact = new HashMap<>();
    Map<String, Integer> folded = new HashMap<>();
    for (int i = 0; i < labels.size(); i++) {
      exact.putIfAbsent(labels.get(i), i);
      folded.putIfAbsent(fold(labels.get(i)), i);
    }
    boolean numbers =
        classes.stream().allMatch(LabelledImages::isNumber)
            && labels.stream().noneMatch(LabelledImages::isNumber);
    boolean nameless = labels.size() == classes.size();
    for (int i = 0; i < labels.size(); i++) {
      nameless &= labels.get(i).equals("LABEL_" + i);
    }
    int[] counts = counts();
    int[] indices = new int[classes.size()];
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < indices.length; i++) {
      String name = classes.get(i);
      Integer index = exact.get(name);
      if (index == null) {
        index = folded.get(fold(name));
      }
      if (index == null && numbers && Integer.parseInt(name) < labels.size()) {
        index = Integer.valueOf(name);
      }
      if (index == null && nameless) {
        index = i;
      }
      if (index != null) {
        indices[i] = index;
      } else if (counts[i] > 0) {
        missing.add(name);
      }
    }
    if (!missing.isEmpty()) {
      throw new DataException(
          "the model does not know %s of the data's classes: %s; it knows %s"
              .formatted(missing.size(), some(missing), some(labels)));
    }
    List<LabelledImage> relabelled = new ArrayList<>(images.size());
    for (LabelledImage image : images) {
      relabelled.add(
          new LabelledImage(image.id(), image.source(), indices[image.label()], image.group()));
    }
    return new LabelledImages(labels, relabelled);
  }

  /** Folder names can't hold all that labels can: only letters and digits count. */
  private static String fold(String name) {
    StringBuilder folded = new StringBuilder();
    name.codePoints()
        .filter(Character::isLetterOrDigit)
        .map(Character::toLowerCase)
        .forEach(folded::appendCodePoint);
    return folded.isEmpty() ? name : folded.toString();
  }

  private static boolean isNumber(String name) {
    return name.matches("\\d{1,8}");
  }

  private static String some(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(5, names.size())))
        + (names.size() > 5 ? ", ..." : "");
  }
}
