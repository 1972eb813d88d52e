package dev.tessera.cli;

import dev.tessera.search.Entry;
import dev.tessera.search.Index;
import dev.tessera.search.PathTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The files of one folder that an index does not have as they are now. A file of the size and time
 * that the index knows is taken for unchanged; one of that size and another time is, too, if its
 * hash is the same, and is then noted in {@link #touched}.
 */
final class IndexSource implements Iterator<IndexedImage> {
  /** A file whose time changed and nothing else. */
  record Touched(int row, long modified) {}

  private final Iterator<ImageFile> files;
  private final Path folder;
  private final String rootName;
  private final int root;
  private final Index known;
  private final PathTable table;
  private final BitSet seen;
  private final List<Touched> touched = new ArrayList<>();
  private long unchanged;
  private @Nullable IndexedImage upcoming;

  /**
   * @param files below {@code folder}
   * @param root the folder's number in the index
   * @param known the index as it is
   * @param seen is told the rows of files that are still there
   */
  IndexSource(
      Iterator<ImageFile> files, Path folder, int root, Index known, PathTable table, BitSet seen) {
    this.files = files;
    this.folder = folder;
    this.rootName = folder.toAbsolutePath().normalize().toString();
    this.root = root;
    this.known = known;
    this.table = table;
    this.seen = seen;
  }

  List<Touched> touched() {
    return touched;
  }

  /** Files that the index has as they are. */
  long unchanged() {
    return unchanged;
  }

  @Override
  public boolean hasNext() {
    while (upcoming == null && files.hasNext()) {
      try {
        upcoming = examine(files.next());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return upcoming != null;
  }

  @Override
  public IndexedImage next() {
    if (!hasNext() || upcoming == null) {
      throw new NoSuchElementException();
    }
    IndexedImage next = upcoming;
    upcoming = null;
    return next;
  }

  /** Null for a file that the index has. */
  private @Nullable IndexedImage examine(ImageFile file) throws IOException {
    String relative = folder.relativize(file.path()).toString().replace('\\', '/');
    if (file.problem() != null) {
      return new IndexedImage(file, root, relative, 0, 0, -1);
    }
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(file.path(), BasicFileAttributes.class);
    } catch (IOException e) {
      return new IndexedImage(file, root, relative, 0, 0, -1);
    }
    long size = attributes.size();
    long modified = attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
    int row = table.find(rootName, relative);
    if (row >= 0) {
      seen.set(row);
      Entry entry = known.entry(row);
      if (entry.size() == size && entry.modified() == modified) {
        unchanged++;
        return null;
      }
      if (entry.size() == size && isSame(entry, file.path())) {
        unchanged++;
        touched.add(new Touched(row, modified));
        return null;
      }
    }
    return new IndexedImage(file, root, relative, size, modified, row);
  }

  private static boolean isSame(Entry entry, Path file) {
    try {
      return Arrays.equals(entry.hash(), IndexedImage.hash(file));
    } catch (IOException e) {
      return false;
    }
  }
}
