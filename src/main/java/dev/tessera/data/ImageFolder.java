package dev.tessera.data;

import dev.tessera.image.Decoder;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Folders of images: {@code <class>/**} or {@code {train,val,test}/<class>/**}.
 *
 * <p>Names decide the order, of classes and of images, as in torchvision. Links are followed unless
 * they lead back into themselves; hidden entries and files without the name ending of an image are
 * left out.
 */
final class ImageFolder {
  /** Deep enough for every real tree; a guard against folders nested to exhaust memory. */
  private static final int MAX_DEPTH = 100;

  private final Path root;
  private final List<String> problems = new ArrayList<>();

  private ImageFolder(Path root) {
    this.root = root;
  }

  static Dataset read(Path root) throws IOException {
    return new ImageFolder(root).dataset();
  }

  private Dataset dataset() throws IOException {
    List<Path> folders = new ArrayList<>();
    int loose = 0;
    for (Path entry : entries(root)) {
      if (Files.isDirectory(entry)) {
        folders.add(entry);
      } else if (Decoder.hasImageEnding(name(entry))) {
        loose++;
      }
    }
    if (loose > 0) {
      problems.add("%s: %d images are in no class folder and were left out".formatted(root, loose));
    }
    Map<Part, Path> parts = new EnumMap<>(Part.class);
    for (Path folder : folders) {
      Part part = Part.of(name(folder));
      if (part == null) {
        parts.clear();
        break;
      }
      Path other = parts.put(part, folder);
      if (other != null) {
        throw new DataException(
            "%s and %s are both the %s part; leave one of them".formatted(other, folder, part));
      }
    }
    boolean divided = !parts.isEmpty();
    if (!divided) {
      parts.put(Part.ALL, root);
    }
    Map<Part, SortedMap<String, List<Path>>> files = new EnumMap<>(Part.class);
    TreeSet<String> names = new TreeSet<>();
    for (Map.Entry<Part, Path> part : parts.entrySet()) {
      SortedMap<String, List<Path>> classes = classes(part.getValue(), divided);
      files.put(part.getKey(), classes);
      names.addAll(classes.keySet());
    }
    List<String> classes = List.copyOf(names);
    Map<Part, LabelledImages> images = new EnumMap<>(Part.class);
    for (Map.Entry<Part, SortedMap<String, List<Path>>> part : files.entrySet()) {
      images.put(part.getKey(), labelled(classes, part.getValue()));
    }
    return new Dataset(
        root, divided ? "folders of class folders" : "class folders", classes, images, problems);
  }

  private LabelledImages labelled(List<String> classes, Map<String, List<Path>> files) {
    List<LabelledImage> images = new ArrayList<>();
    for (int label = 0; label < classes.size(); label++) {
      for (Path file : files.getOrDefault(classes.get(label), List.of())) {
        String id = root.relativize(file).toString().replace('\\', '/');
        images.add(new LabelledImage(id, new ImageSource.File(file), label, null));
      }
    }
    return new LabelledImages(classes, images);
  }

  private SortedMap<String, List<Path>> classes(Path folder, boolean part) throws IOException {
    SortedMap<String, List<Path>> classes = new TreeMap<>();
    int loose = 0;
    for (Path entry : entries(folder)) {
      if (Files.isDirectory(entry)) {
        List<Path> files = new ArrayList<>();
        walk(entry, new ArrayList<>(List.of(folder.toRealPath())), files);
        if (files.isEmpty()) {
          problems.add(entry + " holds no images and was left out");
        } else {
          classes.put(name(entry), files);
        }
      } else if (Decoder.hasImageEnding(name(entry))) {
        loose++;
      }
    }
    if (part && loose > 0) {
      problems.add(
          "%s: %d images are in no class folder and were left out".formatted(folder, loose));
    }
    return classes;
  }

  private void walk(Path folder, List<Path> above, List<Path> files) throws IOException {
    Path real = folder.toRealPath();
    if (above.contains(real)) {
      return;
    }
    if (above.size() > MAX_DEPTH) {
      problems.add(folder + " is nested too deep and was left out");
      return;
    }
    above.add(real);
    try {
      for (Path entry : entries(folder)) {
        if (Files.isDirectory(entry)) {
          walk(entry, above, files);
        } else if (Decoder.hasImageEnding(name(entry))) {
          files.add(entry);
        }
      }
    } catch (AccessDeniedException e) {
      problems.add(folder + " cannot be entered (permission denied) and was left out");
    }
    above.removeLast();
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }

  /** What is in {@code folder} and not hidden, by name. */
  private static List<Path> entries(Path folder) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      for (Path entry : stream) {
        if (!name(entry).startsWith(".")) {
          entries.add(entry);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    entries.sort(null);
    return entries;
  }
}
