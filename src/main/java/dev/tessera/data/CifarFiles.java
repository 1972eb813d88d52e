package dev.tessera.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The binary files of CIFAR-10 ({@code data_batch_1.bin} and so on) and CIFAR-100 ({@code
 * train.bin}, {@code test.bin}): records of one label (CIFAR-100: a coarse label, then the fine
 * one, which counts) and {@code [3, 32, 32]} bytes. Names of classes are in a text file beside
 * them.
 */
final class CifarFiles {
  private static final int SIDE = 32;
  private static final int SAMPLES = 3 * SIDE * SIDE;

  private CifarFiles() {}

  /** The folder with the files: {@code folder} or the one in it that the archive makes; or null. */
  static @Nullable Path folder(Path folder) {
    for (String inside : List.of("", "cifar-10-batches-bin", "cifar-100-binary")) {
      Path candidate = folder.resolve(inside);
      if (Files.exists(candidate.resolve("data_batch_1.bin"))
          || (Files.exists(candidate.resolve("train.bin"))
              && Files.exists(candidate.resolve("test.bin")))) {
        return candidate;
      }
    }
    return null;
  }

  static Dataset read(Path folder) throws IOException {
    boolean ten = Files.exists(folder.resolve("data_batch_1.bin"));
    int classes = ten ? 10 : 100;
    List<String> names =
        IdxFiles.names(folder.resolve(ten ? "batches.meta.txt" : "fine_label_names.txt"), classes);
    if (names.size() != classes) {
      throw new DataException(
          "%s: there are names for %d classes, not %d; get the files again"
              .formatted(folder, names.size(), classes));
    }
    Map<Part, LabelledImages> parts = new EnumMap<>(Part.class);
    for (Part part : List.of(Part.TRAIN, Part.TEST)) {
      List<LabelledImage> images = new ArrayList<>();
      for (Path file : files(folder, ten, part)) {
        read(file, ten ? 1 : 2, classes, part, images);
      }
      if (!images.isEmpty()) {
        parts.put(part, new LabelledImages(names, images));
      }
    }
    return new Dataset(folder, "CIFAR's binary files", names, parts, List.of());
  }

  private static List<Path> files(Path folder, boolean ten, Part part) {
    List<Path> files = new ArrayList<>();
    if (!ten) {
      files.add(folder.resolve(part + ".bin"));
    } else if (part == Part.TEST) {
      files.add(folder.resolve("test_batch.bin"));
    } else {
      for (int i = 1; i <= 5; i++) {
        files.add(folder.resolve("data_batch_" + i + ".bin"));
      }
    }
    files.removeIf(file -> !Files.exists(file));
    return files;
  }

  private static void read(
      Path file, int labels, int classes, Part part, List<LabelledImage> images)
      throws IOException {
    int record = labels + SAMPLES;
    long size = Files.size(file);
    if (size % record != 0) {
      throw new DataException(
          "%s has %d bytes, which is no whole number of records of %d; get it again"
              .formatted(file, size, record));
    }
    IdxFiles.checkMemory(file, size);
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      while (true) {
        byte[] bytes = in.readNBytes(record);
        if (bytes.length < record) {
          return;
        }
        int label = bytes[labels - 1] & 0xff;
        if (label >= classes) {
          throw new DataException(
              "%s has an image of class %d, but there are only %d; get it again"
                  .formatted(file, label, classes));
        }
        images.add(
            new LabelledImage(
                part + "#" + images.size(),
                new ImageSource.Samples(SIDE, SIDE, Arrays.copyOfRange(bytes, labels, record)),
                label,
                null));
      }
    }
  }
}
