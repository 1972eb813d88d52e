package dev.tessera.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A split written down: a table of {@code path,label,split} that {@link Dataset#open} reads, so
 * that a model can be tested on the images that its training left aside, and on those only.
 */
public final class SplitTable {
  private SplitTable() {}

  /** The table, with absolute paths; null if the images are no files, as those of IDX. */
  public static @Nullable String of(Split split) {
    StringBuilder table = new StringBuilder("path,label,split\n");
    LabelledImages test = split.test();
    boolean files =
        append(table, split.train(), Part.TRAIN)
            && append(table, split.validation(), Part.VALIDATION)
            && (test == null || append(table, test, Part.TEST));
    return files ? table.toString() : null;
  }

  private static boolean append(StringBuilder table, LabelledImages images, Part part) {
    List<String> classes = images.classes();
    for (LabelledImage image : images.images()) {
      if (!(image.source() instanceof ImageSource.File file)) {
        return false;
      }
      CsvCell.append(table, file.path().toAbsolutePath().normalize().toString());
      table.append(',');
      CsvCell.append(table, classes.get(image.label()));
      table.append(',').append(part).append('\n');
    }
    return true;
  }
}
