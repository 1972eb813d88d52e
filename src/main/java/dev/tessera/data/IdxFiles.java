package dev.tessera.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The files of MNIST and its successors, gzipped or not: {@code train-images-idx3-ubyte}, {@code
 * train-labels-idx1-ubyte}, and {@code t10k-} for testing. The format is described at the end of
 * MNIST's own page (LeCun, Cortes and Burges): big-endian, {@code [images, rows, columns]} bytes.
 *
 * <p>Classes are named by a {@code labels.txt} beside them, one a line, or else by their numbers.
 */
final class IdxFiles {
  private static final Pattern IMAGES =
      Pattern.compile("(?<stem>(?:.*-)?(?<part>[a-z0-9]+)-)images[-.]idx3-ubyte(?:\\.gz)?");

  /** No image of such a file is larger, by far. */
  private static final int MAX_SIDE = 4096;

  private record Bytes(int count, int height, int width, byte[][] items) {}

  private record Labelled(Bytes images, Bytes labels) {}

  private IdxFiles() {}

  static boolean present(Path folder) throws IOException {
    return !find(folder).isEmpty();
  }

  private static Map<Part, Path> find(Path folder) throws IOException {
    Map<Part, Path> found = new EnumMap<>(Part.class);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        Matcher matcher = IMAGES.matcher(file.getFileName().toString());
        Part part = matcher.matches() ? Part.of(matcher.group("part")) : null;
        if (part != null) {
          found.putIfAbsent(part, file); // the plain file before the gzipped one
        }
      }
    }
    return found;
  }

  static Dataset read(Path folder) throws IOException {
    Map<Part, Labelled> read = new EnumMap<>(Part.class);
    int classes = 0;
    for (Map.Entry<Part, Path> entry : find(folder).entrySet()) {
      Path file = entry.getValue();
      Bytes pixels = read(file, 3);
      Path labelFile = labels(file);
      Bytes numbers = read(labelFile, 1);
      if (numbers.count != pixels.count) {
        throw new DataException(
            "%s holds %d images but %s holds %d labels; get both files again"
                .formatted(file, pixels.count, labelFile, numbers.count));
      }
      for (byte[] number : numbers.items) {
        for (byte label : number) {
          classes = Math.max(classes, (label & 0xff) + 1);
        }
      }
      read.put(entry.getKey(), new Labelled(pixels, numbers));
    }
    List<String> names = names(folder.resolve("labels.txt"), classes);
    Map<Part, LabelledImages> parts = new EnumMap<>(Part.class);
    read.forEach((part, bytes) -> parts.put(part, part(part, names, bytes.images, bytes.labels)));
    return new Dataset(folder, "IDX files", names, parts, List.of());
  }

  private static LabelledImages part(Part part, List<String> names, Bytes pixels, Bytes labels) {
    List<LabelledImage> images = new ArrayList<>(pixels.count);
    for (int i = 0; i < pixels.count; i++) {
      images.add(
          new LabelledImage(
              part + "#" + i,
              new ImageSource.Samples(pixels.width, pixels.height, pixels.items[i]),
              labels.items[0][i] & 0xff,
              null));
    }
    return new LabelledImages(names, images);
  }

  private static Path labels(Path images) throws DataException {
    Matcher matcher = IMAGES.matcher(images.getFileName().toString());
    if (matcher.matches()) {
      for (String ending : List.of("labels-idx1-ubyte", "labels.idx1-ubyte")) {
        for (String gzip : List.of("", ".gz")) {
          Path file = images.resolveSibling(matcher.group("stem") + ending + gzip);
          if (Files.exists(file)) {
            return file;
          }
        }
      }
    }
    throw new DataException(
        images + " has no file of labels beside it; get " + images.getFileName() + "'s, too");
  }

  /** The first {@code classes} lines of {@code file}, or numbers where there is no such file. */
  static List<String> names(Path file, int classes) throws IOException {
    List<String> names = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        if (!line.isBlank()) {
          names.add(line.strip());
        }
      }
      if (names.size() < classes || names.stream().distinct().count() < names.size()) {
        throw new DataException(
            "%s names %d classes, but the data has %d; put each name on a line of its own"
                .formatted(file, names.stream().distinct().count(), classes));
      }
      return names;
    }
    for (int i = 0; i < classes; i++) {
      names.add(Integer.toString(i));
    }
    return names;
  }

  /** A file of bytes with {@code dimensions} axes; labels come as one item. */
  private static Bytes read(Path file, int dimensions) throws IOException {
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        DataInputStream in =
            new DataInputStream(
                file.toString().endsWith(".gz")
                    ? new BufferedInputStream(new GZIPInputStream(raw, 1 << 16), 1 << 16)
                    : raw)) {
      if (in.readInt() != (0x0800 | dimensions)) {
        throw new DataException(
            file
                + " is no IDX file of bytes with "
                + dimensions
                + " axes; get it again or remove it");
      }
      int count = in.readInt();
      int height = dimensions == 3 ? in.readInt() : 1;
      int width = dimensions == 3 ? in.readInt() : 1;
      if (count < 0 || height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) {
        throw new DataException(
            "%s claims %d images of %dx%d pixels; get it again"
                .formatted(file, count, width, height));
      }
      checkMemory(file, (long) count * height * width);
      // Grown as the data comes: what a header claims is not allocated before it is there.
      List<byte[]> items = new ArrayList<>();
      if (dimensions == 1) {
        byte[] labels = in.readNBytes(count);
        if (labels.length < count) {
          throw new EOFException();
        }
        items.add(labels);
      } else {
        for (int i = 0; i < count; i++) {
          byte[] item = new byte[height * width];
          in.readFully(item);
          items.add(item);
        }
      }
      if (in.read() >= 0) {
        throw new DataException(file + " is longer than its header says; get it again");
      }
      return new Bytes(count, height, width, items.toArray(byte[][]::new));
    } catch (EOFException e) {
      throw new DataException(file + " ends too early; get it again", e);
    } catch (ZipException e) {
      throw new DataException(file + " is damaged (" + e.getMessage() + "); get it again", e);
    }
  }

  /** Refuses what would not fit beside everything else. */
  static void checkMemory(Path file, long bytes) throws DataException {
    long most = Runtime.getRuntime().maxMemory() / 2;
    if (bytes > most) {
      throw new DataException(
          ("%s takes %d MB of memory, more than the %d MB there are for it; give more with"
                  + " TESSERA_JAVA_OPTS=-Xmx... or convert it to class folders")
              .formatted(file, bytes >> 20, most >> 20));
    }
  }
}
