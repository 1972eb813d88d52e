package dev.tessera.cli;

import dev.tessera.model.Prediction;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Puts images into a folder for each label, never over a file that is there: another file of that
 * name gets a number, the same file again is left alone.
 */
final class LabelFolders {
  /** What a person may ask for with {@code --sort-mode}. */
  enum Mode {
    COPY,
    LINK,
    SYMLINK;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where images go whose best score is below the threshold. */
  static final String UNSURE = "_unsure";

  private static final int MAX_NAME = 100;
  private static final Set<String> RESERVED =
      Set.of("con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "lpt1", "lpt2", "lpt3");

  private final Path root;
  private final Mode mode;
  private final String[] names;

  LabelFolders(Path root, Mode mode, List<String> labels) throws Failure {
    this.root = root;
    this.mode = mode;
    this.names = folderNames(labels);
    try {
      Files.createDirectories(root);
    } catch (FileAlreadyExistsException e) {
      throw new Failure(ExitCode.OUTPUT, root + " is not a folder; give another --sort-into", e);
    } catch (IOException e) {
      throw ResultOutput.failure(root.toString(), e);
    }
  }

  /** A name for each label that every file system takes, and no name twice. */
  static String[] folderNames(List<String> labels) {
    Set<String> taken = new HashSet<>();
    taken.add(UNSURE);
    String[] names = new String[labels.size()];
    for (int i = 0; i < names.length; i++) {
      String safe = safeName(labels.get(i));
      String name = safe;
      for (int n = 2; !taken.add(name.toLowerCase(Locale.ROOT)); n++) {
        name = safe + "-" + n;
      }
      names[i] = name;
    }
    return names;
  }

  private static String safeName(String label) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < label.length() && name.length() < MAX_NAME; i++) {
      char c = label.charAt(i);
      boolean bad =
          Character.isISOControl(c) || Character.isSurrogate(c) || "/\\:*?\"<>|".indexOf(c) >= 0;
      name.append(bad ? '_' : c);
    }
    // Folders must not start hidden, and Windows drops blanks and dots at the end.
    while (!name.isEmpty() && " .".indexOf(name.charAt(name.length() - 1)) >= 0) {
      name.setLength(name.length() - 1);
    }
    if (name.isEmpty() || name.charAt(0) == '.' || name.charAt(0) == ' ') {
      name.insert(0, '_');
    }
    return RESERVED.contains(name.toString().toLowerCase(Locale.ROOT))
        ? "_" + name
        : name.toString();
  }

  /** Puts {@code file} into the folder of its best label, or among the unsure. */
  void put(Path file, List<Prediction> predictions) throws Failure {
    String label = predictions.isEmpty() ? UNSURE : names[predictions.getFirst().index()];
    Path folder = root.resolve(label);
    try {
      Files.createDirectories(folder);
      Path source = file.toRealPath();
      String name = file.getFileName().toString();
      int dot = name.lastIndexOf('.');
      String stem = dot > 0 ? name.substring(0, dot) : name;
      String ending = dot > 0 ? name.substring(dot) : "";
      for (int n = 1; ; n++) {
        Path target = folder.resolve(n == 1 ? name : stem + "-" + n + ending);
        if (Files.exists(target)) {
          if (isSame(source, target)) {
            return;
          }
        } else if (place(source, target)) {
          return;
        }
      }
    } catch (IOException e) {
      throw ResultOutput.failure(folder.toString(), e);
    }
  }

  private static boolean isSame(Path source, Path target) throws IOException {
    return Files.isSameFile(source, target)
        || (Files.isRegularFile(target) && Files.mismatch(source, target) < 0);
  }

  /** Returns false if something has taken the name in the meantime. */
  private boolean place(Path source, Path target) throws IOException {
    try {
      switch (mode) {
        case COPY -> {
          Path partial = target.resolveSibling(".tessera-partial");
          Files.copy(
              source,
              partial,
              StandardCopyOption.REPLACE_EXISTING,
              StandardCopyOption.COPY_ATTRIBUTES);
          Files.move(partial, target);
        }
        case LINK -> Files.createLink(target, source);
        case SYMLINK -> Files.createSymbolicLink(target, source);
      }
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }
}
