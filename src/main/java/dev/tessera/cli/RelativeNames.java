package dev.tessera.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Files under names that stay true when their folder moves: where one folder was given, the way
 * below it; otherwise as the person gave them. Always with slashes.
 */
final class RelativeNames implements Iterator<ImageFile> {
  private final Iterator<ImageFile> files;
  private final @Nullable Path folder;

  RelativeNames(Iterator<ImageFile> files, List<String> paths) {
    this.files = files;
    Path only = paths.size() == 1 ? Path.of(paths.getFirst()) : null;
    this.folder = only != null && Files.isDirectory(only) ? only : null;
  }

  @Override
  public boolean hasNext() {
    return files.hasNext();
  }

  @Override
  public ImageFile next() {
    ImageFile file = files.next();
    if (file.problem() != null) {
      return file;
    }
    String name = folder == null ? file.name() : folder.relativize(file.path()).toString();
    String separator = file.path().getFileSystem().getSeparator();
    return new ImageFile(separator.equals("/") ? name : name.replace(separator, "/"), file.path());
  }
}
