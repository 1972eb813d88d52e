package dev.tessera.cli;

import dev.tessera.image.Decoder;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.PatternSyntaxException;

/**
 * Which files and folders below a folder are looked at.
 *
 * <p>A glob without a slash is matched against the name of a file or folder, one with a slash
 * against the whole way below the folder given. Without {@code --include}, files with the name
 * endings of images are taken.
 */
final class FileFilter {
  private record Glob(boolean wholePath, PathMatcher matcher) {
    boolean matches(Path relative) {
      return matcher.matches(wholePath ? relative : relative.getFileName());
    }
  }

  private final List<Glob> includes;
  private final List<Glob> excludes;

  FileFilter(List<String> includes, List<String> excludes) throws Failure {
    this.includes = globs(includes);
    this.excludes = globs(excludes);
  }

  private static List<Glob> globs(List<String> patterns) throws Failure {
    List<Glob> globs = new ArrayList<>();
    for (String pattern : patterns) {
      try {
        globs.add(
            new Glob(
                pattern.contains("/"), FileSystems.getDefault().getPathMatcher("glob:" + pattern)));
      } catch (PatternSyntaxException e) {
        throw new Failure(
            ExitCode.USAGE,
            "\"%s\" is not a glob (%s); write one like '*.jpg' or 'train/**'"
                .formatted(pattern, e.getDescription()),
            e);
      }
    }
    return globs;
  }

  /**
   * @param relative the way from the folder given
   */
  boolean takesFile(Path relative) {
    return !matches(excludes, relative)
        && (includes.isEmpty()
            ? Decoder.hasImageEnding(relative.getFileName().toString())
            : matches(includes, relative));
  }

  /**
   * @param relative the way from the folder given
   */
  boolean entersFolder(Path relative) {
    return !matches(excludes, relative);
  }

  private static boolean matches(List<Glob> globs, Path relative) {
    for (Glob glob : globs) {
      if (glob.matches(relative)) {
        return true;
      }
    }
    return false;
  }
}
