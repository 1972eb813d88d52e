package dev.tessera.data.recipe;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where a data set comes from and how it becomes class folders: one JSON file of the folder {@code
 * datasets}.
 *
 * @param name what it is asked for by: the file's name
 * @param about one line on the images
 * @param licence what may be done with them
 * @param kind how its files are laid out
 * @param images how many there are in all
 * @param classes names in the order of the labels; empty where the files name them
 * @param classCount how many there are
 * @param root folder inside the archive that holds the parts; empty for none
 * @param folders names of classes by the names of their folders in the archive
 * @param installed where packages of operating systems put the files
 * @param files to be had
 */
public record Recipe(
    String name,
    String title,
    String about,
    String homepage,
    String licence,
    Kind kind,
    long images,
    List<String> classes,
    int classCount,
    String root,
    Map<String, String> folders,
    List<Path> installed,
    List<RemoteFile> files) {

  /** How the files of a data set are laid out. */
  public enum Kind {
    /** IDX files or CIFAR's binary ones, in an archive or not. */
    SAMPLES,
    /** Class folders inside folders of parts. */
    FOLDERS,
    /** The Oxford-IIIT Pet data set: one folder of images, lists that name them. */
    PETS
  }

  /**
   * One file to be had.
   *
   * @param urls tried in order
   * @param bytes its size
   * @param sha256 of the file in hexadecimal digits; null where no trustworthy one is known, and
   *     then the first download's is remembered
   * @param md5 as the publisher gives it; null for none
   * @param contentSha256 of what a gzipped file unpacks to, by which a copy that was compressed
   *     again is recognised; null for none
   */
  public record RemoteFile(
      String name,
      List<String> urls,
      long bytes,
      @Nullable String sha256,
      @Nullable String md5,
      @Nullable String contentSha256) {}

  /** Bytes to be downloaded in all. */
  public long bytes() {
    return files.stream().mapToLong(RemoteFile::bytes).sum();
  }

  /** All recipes in {@code folder}, by name. */
  public static List<Recipe> list(Path folder) throws DataException {
    List<Recipe> recipes = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        if (file.toString().endsWith(".json")) {
          recipes.add(read(file));
        }
      }
    } catch (DataException e) {
      throw e;
    } catch (IOException e) {
      throw new DataException(
          folder + ", where the recipes of data sets should be, cannot be listed", e);
    }
    return recipes;
  }

  /**
   * The recipe called {@code name}.
   *
   * @throws DataException if there is none, naming those that there are
   */
  public static Recipe named(String name, Path folder) throws DataException {
    List<String> names = new ArrayList<>();
    for (Recipe recipe : list(folder)) {
      if (recipe.name.equalsIgnoreCase(name)) {
        return recipe;
      }
      names.add(recipe.name);
    }
    throw new DataException(
        "there is no data set \"%s\"; there are %s".formatted(name, String.join(", ", names)));
  }

  /** The recipe in {@code file}. */
  public static Recipe read(Path file) throws DataException {
    try {
      Fields fields = new Fields(file, Json.readObject(file));
      Object classes = fields.value("classes");
      List<String> names = classes instanceof List<?> ? fields.texts("classes") : List.of();
      Map<String, String> folders = new LinkedHashMap<>();
      Map<String, @Nullable Object> renamed = Json.asObject(fields.value("folders"));
      if (renamed != null) {
        renamed.forEach((folder, label) -> folders.put(folder, String.valueOf(label)));
      }
      List<RemoteFile> files = new ArrayList<>();
      for (Object entry : fields.list("files")) {
        Map<String, @Nullable Object> object = Json.asObject(entry);
        files.add(remoteFile(new Fields(file, object == null ? Map.of() : object)));
      }
      int count = !names.isEmpty() ? names.size() : !folders.isEmpty() ? folders.size() : -1;
      String stem = String.valueOf(file.getFileName());
      return new Recipe(
          stem.substring(0, stem.length() - ".json".length()),
          fields.text("title"),
          fields.text("about"),
          fields.text("homepage"),
          fields.text("licence"),
          fields.kind(),
          fields.number("images"),
          names,
          count < 0 ? Math.toIntExact(fields.number("classes")) : count,
          fields.value("root") == null ? "" : fields.text("root"),
          folders,
          fields.value("installed") == null
              ? List.of()
              : fields.texts("installed").stream().map(Path::of).toList(),
          files);
    } catch (CheckpointException e) {
      throw new DataException(e.getMessage() == null ? file.toString() : e.getMessage(), e);
    } catch (DataException e) {
      throw e;
    } catch (IOException | ArithmeticException e) {
      throw new DataException(file + " cannot be read as a recipe", e);
    }
  }

  private static RemoteFile remoteFile(Fields fields) throws DataException {
    RemoteFile file =
        new RemoteFile(
            fields.text("name"),
            fields.texts("urls"),
            fields.number("bytes"),
            fields.digest("sha256", 64),
            fields.digest("md5", 32),
            fields.digest("content_sha256", 64));
    if (!file.name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw fields.unusable("name");
    }
    return file;
  }

  /** Typed access to a recipe's JSON. */
  private record Fields(Path file, Map<String, @Nullable Object> json) {
    @Nullable Object value(String key) {
      return json.get(key);
    }

    String text(String key) throws DataException {
      if (json.get(key) instanceof String text && !text.isBlank()) {
        return text;
      }
      throw unusable(key);
    }

    long number(String key) throws DataException {
      if (json.get(key) instanceof Long number && number > 0) {
        return number;
      }
      throw unusable(key);
    }

    List<?> list(String key) throws DataException {
      if (json.get(key) instanceof List<?> list && !list.isEmpty()) {
        return list;
      }
      throw unusable(key);
    }

    List<String> texts(String key) throws DataException {
      List<String> texts = new ArrayList<>();
      for (Object value : list(key)) {
        if (!(value instanceof String text)) {
          throw unusable(key);
        }
        texts.add(text);
      }
      return texts;
    }

    @Nullable String digest(String key, int digits) throws DataException {
      if (json.get(key) == null) {
        return null;
      }
      String text = text(key).toLowerCase(Locale.ROOT);
      if (!text.matches("[0-9a-f]{" + digits + "}")) {
        throw unusable(key);
      }
      return text;
    }

    Kind kind() throws DataException {
      for (Kind kind : Kind.values()) {
        if (kind.name().toLowerCase(Locale.ROOT).equals(json.get("kind"))) {
          return kind;
        }
      }
      throw unusable("kind");
    }

    DataException unusable(String key) {
      return new DataException(
          file + " is no usable recipe: its \"" + key + "\" is missing or not understood");
    }
  }
}
