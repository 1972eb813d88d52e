package dev.tessera.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The images under the paths that a person gave, one after the other and never all at once.
 *
 * <p>Files named are always tried. Folders are walked to any depth in the order of names, links
 * followed unless they lead back into themselves; hidden entries are left out and {@link
 * FileFilter} decides on the rest. {@code -} stands for a list of paths on standard input.
 */
final class ImageFiles implements Iterator<ImageFile> {
  /** Names of one folder held at a time. */
  private static final int WINDOW = 20_000;

  /** Deep enough for every real tree; a guard against folders nested to exhaust memory. */
  private static final int MAX_DEPTH = 500;

  private record Level(SortedFolder entries, Path key) {}

  private final Iterator<String> paths;
  private final @Nullable PathList list;
  private final FileFilter filter;
  private final Set<Path> skipped;
  private final int window;
  private final ArrayDeque<Level> levels = new ArrayDeque<>();
  private Path root = Path.of("");
  private boolean readingList;
  private @Nullable ImageFile upcoming;

  /**
   * @param paths files, folders and {@code -}
   * @param list what {@code -} reads; null where no path is {@code -}
   * @param skipped real paths of folders that are not entered: those written to
   */
  ImageFiles(List<String> paths, @Nullable PathList list, FileFilter filter, Set<Path> skipped) {
    this(paths, list, filter, skipped, WINDOW);
  }

  ImageFiles(
      List<String> paths,
      @Nullable PathList list,
      FileFilter filter,
      Set<Path> skipped,
      int window) {
    this.paths = paths.iterator();
    this.list = list;
    this.filter = filter;
    this.skipped = Set.copyOf(skipped);
    this.window = window;
  }

  /** Fails if one of {@code paths}, {@code -} aside, does not exist. */
  static void check(List<String> paths) throws Failure {
    for (String path : paths) {
      if (!path.equals("-") && !exists(path)) {
        throw new Failure(
            ExitCode.USAGE, path + ": no such file or folder; check the path and try again");
      }
    }
  }

  private static boolean exists(String path) {
    try {
      return Files.exists(Path.of(path));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  @Override
  public boolean hasNext() {
    if (upcoming == null) {
      upcoming = advance();
    }
    return upcoming != null;
  }

  @Override
  public ImageFile next() {
    if (!hasNext() || upcoming == null) {
      throw new NoSuchElementException();
    }
    ImageFile file = upcoming;
    upcoming = null;
    return file;
  }

  private @Nullable ImageFile advance() {
    while (true) {
      if (!levels.isEmpty()) {
        ImageFile file = step(levels.element());
        if (file != null) {
          return file;
        }
      } else {
        String path = nextPath();
        if (path == null) {
          return null;
        }
        ImageFile file = start(path);
        if (file != null) {
          return file;
        }
      }
    }
  }

  private @Nullable String nextPath() {
    while (true) {
      if (readingList && list != null) {
        try {
          String path = list.next();
          if (path != null) {
            return path;
          }
        } catch (IOException e) {
          throw new UncheckedIOException("standard input: " + e.getMessage(), e);
        }
        readingList = false;
      }
      if (!paths.hasNext()) {
        return null;
      }
      String path = paths.next();
      if (!path.equals("-")) {
        return path;
      }
      readingList = true;
    }
  }

  private @Nullable ImageFile start(String name) {
    Path path;
    try {
      path = Path.of(name);
    } catch (InvalidPathException e) {
      return new ImageFile(name, Path.of(""), "is not a path on this system");
    }
    if (Files.isDirectory(path)) {
      root = path;
      return enter(path);
    }
    return new ImageFile(name, path);
  }

  /** Goes one entry on in the innermost folder; null where that yields no image. */
  private @Nullable ImageFile step(Level level) {
    Path entry;
    try {
      entry = level.entries.next();
    } catch (IOException e) {
      levels.pop();
      Path folder = level.entries.folder();
      return new ImageFile(folder.toString(), folder, "cannot be listed (" + reason(e) + ")");
    }
    if (entry == null) {
      levels.pop();
      return null;
    }
    Path relative = root.relativize(entry);
    if (Files.isDirectory(entry)) {
      return filter.entersFolder(relative) ? enter(entry) : null;
    }
    return filter.takesFile(relative) ? new ImageFile(entry.toString(), entry) : null;
  }

  private @Nullable ImageFile enter(Path folder) {
    Path key;
    try {
      key = folder.toRealPath();
    } catch (IOException e) {
      return new ImageFile(folder.toString(), folder, "cannot be entered (" + reason(e) + ")");
    }
    if (skipped.contains(key)) {
      return null;
    }
    for (Level level : levels) {
      if (level.key.equals(key)) {
        return null;
      }
    }
    if (levels.size() == MAX_DEPTH) {
      return new ImageFile(folder.toString(), folder, "is nested too deep");
    }
    levels.push(new Level(new SortedFolder(folder, window), key));
    return null;
  }

  private static String reason(IOException e) {
    return e instanceof AccessDeniedException ? "permission denied" : e.getClass().getSimpleName();
  }
}
