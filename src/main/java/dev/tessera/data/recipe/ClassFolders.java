package dev.tessera.data.recipe;

import dev.tessera.data.DataException;
import dev.tessera.data.ImageSource;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.image.Decoder;
import dev.tessera.image.PngWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Writes {@code <part>/<class>/<image>}. */
final class ClassFolders {
  private final Path root;
  private final Progress progress;
  private long written;

  ClassFolders(Path root, Progress progress) {
    this.root = root;
    this.progress = progress;
  }

  /** A folder's name for {@code label}: file systems do not take all that labels may have. */
  static String folderName(String label) {
    String name = label.replaceAll("[/\\\\:*?\"<>|\\p{Cntrl}]", "_").strip();
    return name.isEmpty() || name.startsWith(".") ? "_" + name : name;
  }

  /** Images in memory as PNG files, numbered as they are in their container. */
  void write(String part, List<String> classes, LabelledImages images, long total)
      throws IOException {
    List<Path> folders = new ArrayList<>();
    for (String label : classes) {
      folders.add(Files.createDirectories(root.resolve(part).resolve(folderName(label))));
    }
    Decoder decoder = new Decoder();
    int number = 0;
    for (LabelledImage image : images.images()) {
      String name = String.format(Locale.ROOT, "%05d.png", number++);
      Files.write(
          folders.get(image.label()).resolve(name),
          PngWriter.encode(image.source().decode(decoder)));
      progress.advance("writing images", ++written, total);
    }
  }

  /** Image files, which leave the folder they were unpacked to. */
  void move(String part, List<String> classes, LabelledImages images) throws IOException {
    for (LabelledImage image : images.images()) {
      if (image.source() instanceof ImageSource.File file) {
        move(part, classes.get(image.label()), file.path());
      }
    }
  }

  void move(String part, String label, Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + " is missing in the archive; get it again");
    }
    Path folder = Files.createDirectories(root.resolve(part).resolve(folderName(label)));
    Files.move(file, folder.resolve(file.getFileName()));
    progress.advance("sorting images", ++written, -1);
  }
}
