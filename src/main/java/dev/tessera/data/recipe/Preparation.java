package dev.tessera.data.recipe;

import dev.tessera.checkpoint.Json;
import dev.tessera.data.DataException;
import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes class folders of a recipe's files.
 *
 * <p>Everything is made in a folder beside the one asked for, which gets its name when all is there
 * and counted. A killed preparation leaves {@code NAME.partial}, and the next one goes on with its
 * downloads. What was prepared and from which bytes is written into {@value #LOCK}.
 */
public final class Preparation {
  /** In the prepared folder: the recipe's name, its licence, and the SHA-256 of each file used. */
  public static final String LOCK = "dataset.lock.json";

  private final Recipe recipe;
  private final Download download;
  private final Progress progress;

  public Preparation(Recipe recipe, Progress progress) {
    this(recipe, new Download(), progress);
  }

  Preparation(Recipe recipe, Download download, Progress progress) {
    this.recipe = recipe;
    this.download = download;
    this.progress = progress;
  }

  /**
   * The data set in {@code target}, prepared if it is not there yet.
   *
   * @param from a folder that holds the recipe's files, or the only one of them; null to look where
   *     packages put them, and else to download
   * @param keep whether downloads are kept, in {@code target/.downloads}
   * @throws DataException if the files can't be had or are not the published ones, or if something
   *     else is in {@code target}
   */
  public Dataset run(Path target, @Nullable Path from, boolean keep)
      throws IOException, InterruptedException {
    if (Files.exists(target.resolve(LOCK))) {
      if (!recipe.name().equals(Json.readObject(target.resolve(LOCK)).get("recipe"))) {
        throw new DataException(target + " holds another data set; give another --output");
      }
      progress.message(target + " is prepared already");
      return Dataset.open(target);
    }
    if (Files.exists(target)) {
      try (Stream<Path> entries = Files.list(target)) {
        if (entries.findAny().isPresent()) {
          throw new DataException(target + " is not empty; give another --output");
        }
      }
    }
    Path work = target.resolveSibling(target.getFileName() + ".partial");
    Path downloads = Files.createDirectories(work.resolve("downloads"));
    Path data = work.resolve("data");
    Path unpacked = work.resolve("unpacked");
    delete(data);
    delete(unpacked);
    Map<String, @Nullable Object> lock = obtained(from, downloads);
    Files.createDirectories(data);
    switch (recipe.kind()) {
      case SAMPLES -> samples(unpack(lock, unpacked), data);
      case FOLDERS -> folders(unpack(lock, unpacked), data);
      case PETS -> pets(unpack(lock, unpacked), data);
    }
    delete(unpacked);
    check(data);
    for (Object entry : files(lock)) {
      if (entry instanceof Map<?, ?> file) {
        file.remove("path");
      }
    }
    Files.writeString(data.resolve(LOCK), Json.write(lock));
    if (keep) {
      Files.move(downloads, data.resolve(".downloads"));
    }
    Files.deleteIfExists(target);
    Files.move(data, target, StandardCopyOption.ATOMIC_MOVE);
    delete(work);
    return Dataset.open(target);
  }

  private static List<?> files(Map<String, @Nullable Object> lock) {
    return lock.get("files") instanceof List<?> files ? files : List.of();
  }

  /** The lock: every file with its place here, its checks passed. */
  private Map<String, @Nullable Object> obtained(@Nullable Path from, Path downloads)
      throws IOException, InterruptedException {
    List<Path> places = new ArrayList<>();
    if (from != null) {
      places.add(from);
    } else {
      recipe.installed().stream().filter(Files::isDirectory).forEach(places::add);
    }
    List<Map<String, @Nullable Object>> files = new ArrayList<>();
    for (Recipe.RemoteFile wanted : recipe.files()) {
      Path local = local(wanted, places);
      Map<String, @Nullable Object> entry = new LinkedHashMap<>();
      entry.put("name", wanted.name());
      if (local != null) {
        progress.message("using " + local);
        entry.put("sha256", checkedCopy(local, wanted));
        entry.put("from", local.toAbsolutePath().toString());
        entry.put("path", local.toString());
      } else if (from != null) {
        throw new DataException(
            "%s has no %s; give the folder or the file with it to --from"
                .formatted(from, wanted.name()));
      } else {
        Path target = downloads.resolve(wanted.name());
        Path pin = downloads.resolve(wanted.name() + ".sha256");
        String pinned = Files.exists(pin) ? Files.readString(pin).strip() : null;
        String sha256 = download.fetch(wanted, target, pinned, progress);
        Files.writeString(pin, sha256 + "\n");
        entry.put("sha256", sha256);
        entry.put("from", wanted.urls().getFirst());
        entry.put("path", target.toString());
      }
      files.add(entry);
    }
    Map<String, @Nullable Object> lock = new LinkedHashMap<>();
    lock.put("recipe", recipe.name());
    lock.put("title", recipe.title());
    lock.put("homepage", recipe.homepage());
    lock.put("licence", recipe.licence());
    lock.put("images", recipe.images());
    lock.put("files", files);
    return lock;
  }

  /** A copy of {@code wanted} at one of {@code places}: a folder with it, gzipped or not, or it. */
  private static @Nullable Path local(Recipe.RemoteFile wanted, List<Path> places) {
    for (Path place : places) {
      if (Files.isRegularFile(place)) {
        return place;
      }
      List<String> names = new ArrayList<>(List.of(wanted.name()));
      if (wanted.contentSha256() != null && wanted.name().endsWith(".gz")) {
        names.add(wanted.name().substring(0, wanted.name().length() - 3));
      }
      for (String name : names) {
        if (Files.isRegularFile(place.resolve(name))) {
          return place.resolve(name);
        }
      }
    }
    return null;
  }

  private static String checkedCopy(Path local, Recipe.RemoteFile wanted) throws IOException {
    Archive.Limits limits = Archive.Limits.of(wanted.bytes());
    return Checksums.sameContent(local, wanted, limits.bytes())
        ? Checksums.sha256(local)
        : Checksums.check(local, wanted, null);
  }

  /** A folder with all files of {@code lock}, archives unpacked. */
  private Path unpack(Map<String, @Nullable Object> lock, Path folder) throws IOException {
    Files.createDirectories(folder);
    for (Object entry : files(lock)) {
      if (entry instanceof Map<?, ?> file) {
        Path path = Path.of(String.valueOf(file.get("path")));
        String name = String.valueOf(path.getFileName());
        if (Archive.isArchive(name)) {
          Archive.unpack(path, folder, Archive.Limits.of(Files.size(path)), progress);
        } else {
          Files.copy(path, folder.resolve(name));
        }
      }
    }
    return folder;
  }

  private void samples(Path unpacked, Path data) throws IOException {
    if (!recipe.classes().isEmpty() && Files.exists(unpacked.resolve("labels.txt"))) {
      throw new DataException(unpacked + " holds a labels.txt that was not expected");
    }
    ClassFolders folders = new ClassFolders(data, progress);
    Dataset dataset = Dataset.open(unpacked);
    List<String> classes = recipe.classes().isEmpty() ? dataset.classes() : recipe.classes();
    if (classes.size() != dataset.classes().size()) {
      throw new DataException(
          "%s has %d classes, but the recipe names %d"
              .formatted(recipe.title(), dataset.classes().size(), classes.size()));
    }
    for (Map.Entry<Part, LabelledImages> part : dataset.parts().entrySet()) {
      folders.write(part.getKey().toString(), classes, part.getValue(), recipe.images());
    }
  }

  private void folders(Path unpacked, Path data) throws IOException {
    Path root = recipe.root().isEmpty() ? unpacked : unpacked.resolve(recipe.root());
    Dataset dataset = Dataset.open(root);
    for (Part part : dataset.parts().keySet()) {
      LabelledImages images = dataset.part(part);
      List<String> names =
          images.classes().stream()
              .map(folder -> recipe.folders().getOrDefault(folder, folder))
              .toList();
      new ClassFolders(data, progress).move(part.toString(), names, images);
    }
  }

  /**
   * The lists of the annotations name the images of each part; their names begin with the class.
   */
  private void pets(Path unpacked, Path data) throws IOException {
    ClassFolders folders = new ClassFolders(data, progress);
    for (Map.Entry<String, String> list :
        Map.of("train", "trainval.txt", "test", "test.txt").entrySet()) {
      Path file = unpacked.resolve("annotations").resolve(list.getValue());
      if (!Files.isRegularFile(file)) {
        throw new DataException(file + " is missing in the archive; get it again");
      }
      for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        String name = line.split(" ", 2)[0];
        if (name.isBlank() || name.startsWith("#")) {
          continue;
        }
        if (!name.matches("[A-Za-z_]+_\\d+")) {
          throw new DataException(file + " names \"" + name + "\", which is no image of the set");
        }
        String breed = name.substring(0, name.lastIndexOf('_')).replace('_', ' ');
        folders.move(
            list.getKey(),
            breed.toLowerCase(Locale.ROOT),
            unpacked.resolve("images").resolve(name + ".jpg"));
      }
    }
  }

  private void check(Path data) throws DataException {
    Dataset dataset = Dataset.open(data);
    long images = 0;
    for (LabelledImages part : dataset.parts().values()) {
      images += part.size();
    }
    if (images != recipe.images() || dataset.classes().size() != recipe.classCount()) {
      throw new DataException(
          "%s should have %d images of %d classes, but the files have %d of %d"
              .formatted(
                  recipe.title(),
                  recipe.images(),
                  recipe.classCount(),
                  images,
                  dataset.classes().size()));
    }
  }

  /** Deletes a folder of this preparation; links in it are not followed. */
  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path entered, @Nullable IOException e)
              throws IOException {
            Files.delete(entered);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
