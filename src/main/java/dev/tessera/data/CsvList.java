package dev.tessera.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A table of images: a column of paths, seen from the table's folder, and one of labels; {@code
 * group} and {@code split} columns where there are. Separated by commas, semicolons or tabs, quoted
 * as RFC 4180 says; without a line of names, the first column is the path and the second the label.
 */
final class CsvList {
  private static final Set<String> PATHS =
      Set.of("path", "file", "filename", "file_name", "filepath", "image", "image_path");
  private static final Set<String> LABELS = Set.of("label", "class", "category", "target");
  private static final Set<String> GROUPS = Set.of("group", "groups", "group_id");
  private static final Set<String> SPLITS = Set.of("split", "part", "subset", "set");

  /** Problems worth telling one by one. */
  private static final int MOST_PROBLEMS = 1000;

  private static final int MAX_FIELD = 1 << 16;

  private record Columns(int path, int label, int group, int split) {}

  private record Row(Path file, String path, String label, @Nullable String group, Part part) {}

  private CsvList() {}

  static Dataset read(Path csv) throws IOException {
    List<String> problems = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(csv, StandardCharsets.UTF_8)) {
      reader.mark(1);
      if (reader.read() != '\ufeff') {
        reader.reset();
      }
      rows(csv, reader, rows, problems);
    } catch (MalformedInputException e) {
      throw new DataException(csv + " is not UTF-8; save it in that encoding", e);
    }
    TreeSet<String> names = new TreeSet<>();
    rows.forEach(row -> names.add(row.label));
    List<String> classes = List.copyOf(names);
    Map<String, Integer> indices = new HashMap<>();
    for (int i = 0; i < classes.size(); i++) {
      indices.put(classes.get(i), i);
    }
    Map<Part, List<LabelledImage>> images = new EnumMap<>(Part.class);
    for (Row row : rows) {
      images
          .computeIfAbsent(row.part, _ -> new ArrayList<>())
          .add(
              new LabelledImage(
                  row.path,
                  new ImageSource.File(row.file),
                  indices.getOrDefault(row.label, 0),
                  row.group));
    }
    if (images.containsKey(Part.ALL) && images.size() > 1) {
      throw new DataException(
          "%s: %d rows say nothing about their split though others do; fill the column"
              .formatted(csv, images.get(Part.ALL).size()));
    }
    Map<Part, LabelledImages> parts = new EnumMap<>(Part.class);
    images.forEach((part, list) -> parts.put(part, new LabelledImages(classes, list)));
    return new Dataset(csv, "table of paths and labels", classes, parts, problems);
  }

  private static void rows(Path csv, BufferedReader reader, List<Row> rows, List<String> problems)
      throws IOException {
    reader.mark(MAX_FIELD);
    char[] start = new char[MAX_FIELD];
    int length = reader.read(start);
    if (length < 0) {
      throw new DataException(csv + " is empty; a line for each image is expected: path,label");
    }
    reader.reset();
    char separator = separator(new String(start, 0, length).lines().findFirst().orElse(""));
    List<String> fields = record(csv, reader, separator);
    Columns columns = fields == null ? null : columns(csv, fields);
    boolean header = columns != null;
    if (columns == null) {
      columns = new Columns(0, 1, -1, -1);
    }
    Path absolute = csv.toAbsolutePath();
    int left = 0;
    for (int number = 1; fields != null; number++, fields = record(csv, reader, separator)) {
      if ((number == 1 && header) || (fields.size() == 1 && fields.getFirst().isBlank())) {
        continue;
      }
      String problem = add(fields, columns, absolute, rows);
      if (problem != null && left++ < MOST_PROBLEMS) {
        problems.add("%s: row %d %s and was left out".formatted(csv, number, problem));
      }
    }
    if (left > MOST_PROBLEMS) {
      problems.add("%s: %d more rows were left out".formatted(csv, left - MOST_PROBLEMS));
    }
  }

  /** Adds a row, or says what is wrong with it. */
  private static @Nullable String add(
      List<String> fields, Columns columns, Path csv, List<Row> rows) {
    String name = field(fields, columns.path);
    String label = field(fields, columns.label);
    if (name.isEmpty() || label.isEmpty()) {
      return "has no " + (name.isEmpty() ? "path" : "label");
    }
    String split = field(fields, columns.split);
    Part part = split.isEmpty() ? Part.ALL : Part.of(split);
    if (part == null) {
      return "says \"" + split + "\", which is no split (train, val, test),";
    }
    Path file;
    try {
      file = csv.resolveSibling(name);
    } catch (InvalidPathException e) {
      return "has a path that this system cannot hold";
    }
    if (!Files.isRegularFile(file)) {
      return "names " + name + ", which is no file,";
    }
    String group = field(fields, columns.group);
    rows.add(new Row(file, name, label, group.isEmpty() ? null : group, part));
    return null;
  }

  private static String field(List<String> fields, int column) {
    return column >= 0 && column < fields.size() ? fields.get(column).strip() : "";
  }

  private static char separator(String line) {
    for (char candidate : new char[] {'\t', ';'}) {
      if (line.indexOf(candidate) >= 0 && line.indexOf(',') < 0) {
        return candidate;
      }
    }
    return line.indexOf('\t') >= 0 ? '\t' : ',';
  }

  /** Where what is, or null if {@code names} are no names of columns. */
  private static @Nullable Columns columns(Path csv, List<String> names) throws DataException {
    int path = find(names, PATHS);
    int label = find(names, LABELS);
    if (path < 0 && label < 0 && names.size() >= 2) {
      return null;
    }
    if (path < 0 || label < 0) {
      throw new DataException(
          "%s has no column named %s; its first line should be path,label"
              .formatted(csv, path < 0 ? "path" : "label"));
    }
    return new Columns(path, label, find(names, GROUPS), find(names, SPLITS));
  }

  private static int find(List<String> names, Set<String> wanted) {
    for (int i = 0; i < names.size(); i++) {
      if (wanted.contains(names.get(i).strip().toLowerCase(Locale.ROOT))) {
        return i;
      }
    }
    return -1;
  }

  /** The next record's fields, or null at the end. */
  private static @Nullable List<String> record(Path csv, BufferedReader in, char separator)
      throws IOException {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean quoted = false;
    int c = in.read();
    if (c < 0) {
      return null;
    }
    for (; ; c = in.read()) {
      if (quoted) {
        if (c < 0) {
          throw new DataException(csv + " ends inside a quoted field; close its quotation mark");
        } else if (c != '"') {
          field.append((char) c);
        } else {
          in.mark(1);
          if (in.read() == '"') {
            field.append('"');
          } else {
            in.reset();
            quoted = false;
          }
        }
      } else if (c == '"' && field.isEmpty()) {
        quoted = true;
      } else if (c == separator || c == '\n' || c < 0) {
        fields.add(field.toString());
        field.setLength(0);
        if (c != separator) {
          return fields;
        }
      } else if (c != '\r') {
        field.append((char) c);
      }
      if (field.length() > MAX_FIELD) {
        throw new DataException(
            csv + " has a field of more than " + MAX_FIELD + " characters; is it really a table?");
      }
    }
  }
}
