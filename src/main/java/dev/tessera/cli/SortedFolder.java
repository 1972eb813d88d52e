package dev.tessera.cli;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one folder in the order of their names, holding only a window of them.
 *
 * <p>A folder of a million files is read once per window: the smallest names after the last one
 * given out. That costs some re-reading and no memory.
 */
final class SortedFolder {
  private final Path folder;
  private final int window;
  private final ArrayDeque<String> names = new ArrayDeque<>();
  private @Nullable String last;
  private boolean exhausted;

  /**
   * @param window most names held
   */
  SortedFolder(Path folder, int window) {
    this.folder = folder;
    this.window = window;
  }

  Path folder() {
    return folder;
  }

  /** The next entry, or null after the last. */
  @Nullable Path next() throws IOException {
    if (names.isEmpty() && !exhausted) {
      fill();
    }
    String name = names.poll();
    if (name == null) {
      return null;
    }
    last = name;
    return folder.resolve(name);
  }

  private void fill() throws IOException {
    PriorityQueue<String> smallest = new PriorityQueue<>(Collections.reverseOrder());
    boolean more = false;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if (name.startsWith(".") || (last != null && name.compareTo(last) <= 0)) {
          continue;
        }
        if (smallest.size() == window) {
          more = true;
          if (name.compareTo(smallest.element()) >= 0) {
            continue;
          }
          smallest.remove();
        }
        smallest.add(name);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    exhausted = !more;
    for (String name = smallest.poll(); name != null; name = smallest.poll()) {
      names.addFirst(name);
    }
  }
}
