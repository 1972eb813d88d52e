package dev.tessera.search;

import dev.tessera.checkpoint.AtomicFile;
import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an index consists of: {@code manifest.json}, which is replaced as a whole. Files that it
 * does not name, and bytes behind the counts that it gives, do not belong to the index.
 *
 * @param model folder of the model that made the vectors, as an absolute path
 * @param fingerprint of that model: see {@code ImageEmbedder.fingerprint}
 * @param pooling what of the model's output the vectors are
 * @param dimensions of a vector
 * @param roots folders that were indexed, as absolute paths
 * @param segments parts, in the order of their rows
 * @param removed file that says which rows are no more; null for none
 * @param graph file with a {@link Hnsw} over the first rows; null for none
 * @param complete whether the last run that added to it came to its end
 * @param next number of the next file
 */
record Manifest(
    String model,
    String fingerprint,
    String pooling,
    int dimensions,
    List<String> roots,
    List<Segment> segments,
    @Nullable String removed,
    @Nullable String graph,
    boolean complete,
    int next) {
  private static final String FORMAT = "tessera index 1";
  private static final String NAME = "manifest.json";

  Manifest {
    roots = List.copyOf(roots);
    segments = List.copyOf(segments);
  }

  /**
   * A part of the index, written by one run: {@code name.vectors}, {@code name.rows} and {@code
   * name.names}.
   *
   * @param rows that count
   * @param nameBytes that count
   */
  record Segment(String name, int rows, long nameBytes) {}

  static boolean exists(Path index) {
    return Files.exists(index.resolve(NAME));
  }

  /** The manifest of the index in {@code index}. */
  static Manifest read(Path index) throws IOException {
    Path file = index.resolve(NAME);
    if (!Files.exists(file)) {
      throw new IndexException(
          index,
          Files.exists(index)
              ? "is no index: it has no " + NAME + "; build one with 'tessera index build'"
              : "does not exist; build it with 'tessera index build DIR -o " + index + "'");
    }
    try {
      Map<String, @Nullable Object> json = Json.readObject(file);
      if (!FORMAT.equals(json.get("format"))) {
        throw new IndexException(
            index,
            "is of the format "
                + Json.describe(json.get("format"))
                + " and this version reads "
                + Json.describe(FORMAT)
                + "; build it again");
      }
      List<Segment> segments = new ArrayList<>();
      long rows = 0;
      for (Object element : list(json, "segments")) {
        Map<String, @Nullable Object> segment = Json.asObject(element);
        if (segment == null) {
          throw new IllegalArgumentException("segments");
        }
        Segment part =
            new Segment(
                fileName(segment, "name"),
                Math.toIntExact(number(segment, "rows")),
                number(segment, "names"));
        rows += part.rows;
        segments.add(part);
      }
      int dimensions = Math.toIntExact(number(json, "dimensions"));
      if (dimensions < 1 || dimensions > 1 << 20 || rows > Integer.MAX_VALUE) {
        throw new IllegalArgumentException("dimensions or rows");
      }
      List<String> roots = new ArrayList<>();
      for (Object root : list(json, "roots")) {
        roots.add(String.valueOf(root));
      }
      return new Manifest(
          text(json, "model"),
          text(json, "fingerprint"),
          text(json, "pooling"),
          dimensions,
          roots,
          segments,
          json.get("removed") == null ? null : fileName(json, "removed"),
          json.get("graph") == null ? null : fileName(json, "graph"),
          Boolean.TRUE.equals(json.get("complete")),
          Math.toIntExact(number(json, "next")));
    } catch (CheckpointException | IllegalArgumentException | ArithmeticException e) {
      throw new IndexException(
          index, "has a damaged " + NAME + " (" + e.getMessage() + "); build it again", e);
    }
  }

  private static String text(Map<String, @Nullable Object> json, String key) {
    if (json.get(key) instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException(key);
  }

  /** A name in the index's own folder. */
  private static String fileName(Map<String, @Nullable Object> json, String key) {
    String name = text(json, key);
    if (!name.matches("[0-9a-z.]+") || name.startsWith(".")) {
      throw new IllegalArgumentException(key);
    }
    return name;
  }

  private static long number(Map<String, @Nullable Object> json, String key) {
    if (json.get(key) instanceof Long number && number >= 0) {
      return number;
    }
    throw new IllegalArgumentException(key);
  }

  private static List<?> list(Map<String, @Nullable Object> json, String key) {
    if (json.get(key) instanceof List<?> list) {
      return list;
    }
    throw new IllegalArgumentException(key);
  }

  /** Puts this in the place of the manifest before, at once and for good. */
  void write(Path index) throws IOException {
    List<Map<String, Object>> parts = new ArrayList<>();
    for (Segment segment : segments) {
      Map<String, Object> part = new LinkedHashMap<>();
      part.put("name", segment.name);
      part.put("rows", segment.rows);
      part.put("names", segment.nameBytes);
      parts.add(part);
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("model", model);
    json.put("fingerprint", fingerprint);
    json.put("pooling", pooling);
    json.put("dimensions", dimensions);
    json.put("roots", roots);
    json.put("segments", parts);
    json.put("removed", removed);
    json.put("graph", graph);
    json.put("complete", complete);
    json.put("next", next);
    AtomicFile.write(index.resolve(NAME), Json.write(json));
  }

  Manifest withRoots(List<String> other) {
    return new Manifest(
        model, fingerprint, pooling, dimensions, other, segments, removed, graph, complete, next);
  }

  /** With the number for a new file taken. */
  Manifest afterNext() {
    return new Manifest(
        model,
        fingerprint,
        pooling,
        dimensions,
        roots,
        segments,
        removed,
        graph,
        complete,
        next + 1);
  }

  Manifest with(
      List<Segment> other,
      @Nullable String otherRemoved,
      @Nullable String otherGraph,
      boolean isComplete) {
    return new Manifest(
        model,
        fingerprint,
        pooling,
        dimensions,
        roots,
        other,
        otherRemoved,
        otherGraph,
        isComplete,
        next);
  }

  /** How many rows there are, removed ones included. */
  int rows() {
    int rows = 0;
    for (Segment segment : segments) {
      rows += segment.rows;
    }
    return rows;
  }
}
