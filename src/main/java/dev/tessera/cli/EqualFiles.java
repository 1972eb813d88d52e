package dev.tessera.cli;

import dev.tessera.search.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Files that may be equal, with their hashes: only those are read that share their size. */
final class EqualFiles {
  private EqualFiles() {}

  /** The files whose size is not the only one of its kind. */
  static List<Entry> of(Iterator<ImageFile> files, Path folder) {
    Map<Long, List<Path>> bySize = new HashMap<>();
    while (files.hasNext()) {
      ImageFile file = files.next();
      try {
        if (file.problem() == null) {
          bySize
              .computeIfAbsent(Files.size(file.path()), size -> new ArrayList<>(1))
              .add(file.path());
          continue;
        }
        System.err.println(Terminal.printable("tessera: " + file.name() + " " + file.problem()));
      } catch (IOException e) {
        unreadable(file.path());
      }
    }
    List<Entry> entries = new ArrayList<>();
    for (List<Path> equal : bySize.values()) {
      for (Path file : equal.size() > 1 ? equal : List.<Path>of()) {
        try {
          BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
          entries.add(
              new Entry(
                  folder.toAbsolutePath().normalize(),
                  folder.relativize(file).toString().replace('\\', '/'),
                  attributes.size(),
                  attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS),
                  IndexedImage.hash(file)));
        } catch (IOException e) {
          unreadable(file);
        }
      }
    }
    return entries;
  }

  private static void unreadable(Path file) {
    System.err.println(Terminal.printable("tessera: " + file + " cannot be read"));
  }
}
