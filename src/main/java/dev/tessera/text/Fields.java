package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of a tokenizer's files, read key by key: what is absent or null takes the default,
 * a value of another type is a {@link CheckpointException} that names the key.
 *
 * @param file named in errors
 * @param path of the object in the file, such as {@code model.}, or empty
 */
record Fields(Path file, String path, Map<String, @Nullable Object> values) {
  boolean has(String key) {
    return values.get(key) != null;
  }

  /** The object under {@code key}, or null if there is none. */
  @Nullable Fields object(String key) throws CheckpointException {
    Object value = values.get(key);
    return value == null ? null : object(key, value);
  }

  private Fields object(String key, @Nullable Object value) throws CheckpointException {
    Map<String, @Nullable Object> object = Json.asObject(value);
    if (object == null) {
      throw wrong(key, value, "an object");
    }
    return new Fields(file, path + key + ".", object);
  }

  /** The list under {@code key}, empty if there is none. */
  List<?> list(String key) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return List.of();
    }
    if (value instanceof List<?> list) {
      return list;
    }
    throw wrong(key, value, "a list");
  }

  /** The objects of the list under {@code key}. */
  List<Fields> objects(String key) throws CheckpointException {
    List<Fields> objects = new ArrayList<>();
    for (Object value : list(key)) {
      objects.add(object(key, value));
    }
    return objects;
  }

  String text(String key) throws CheckpointException {
    if (values.get(key) instanceof String text) {
      return text;
    }
    throw wrong(key, values.get(key), "a string");
  }

  String text(String key, String fallback) throws CheckpointException {
    return has(key) ? text(key) : fallback;
  }

  boolean flag(String key, boolean fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, value, "true or false");
  }

  /** A whole number of at least 0. */
  int integer(String key, int fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Long number && number >= 0 && number <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw wrong(key, value, "a whole number of at least 0");
  }

  CheckpointException wrong(String key, @Nullable Object value, String wanted) {
    return new CheckpointException(
        file, path + key + " is " + Json.describe(value) + " but must be " + wanted);
  }

  /** The error that {@code key} has a value that is none of those understood. */
  CheckpointException unsupported(String key) {
    return new CheckpointException(
        file, path + key + " " + Json.describe(values.get(key)) + " is not supported");
  }

  /** The error that the object makes no sense. */
  CheckpointException wrong(IllegalArgumentException cause) {
    return new CheckpointException(
        file,
        "is not understood"
            + (path.isEmpty() ? "" : " at " + path.substring(0, path.length() - 1))
            + ": "
            + cause.getMessage()
            + "; replace it by an intact copy",
        cause);
  }
}
