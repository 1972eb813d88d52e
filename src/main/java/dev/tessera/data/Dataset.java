package dev.tessera.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A data set on disk: its classes, and the images of each part it is divided into.
 *
 * @param layout how it is laid out, for people
 * @param parts either {@link Part#ALL} alone or some of the others; all of the same classes
 * @param problems what was left out and why, one sentence each
 */
public record Dataset(
    Path path,
    String layout,
    List<String> classes,
    Map<Part, LabelledImages> parts,
    List<String> problems) {

  public Dataset {
    classes = List.copyOf(classes);
    parts = Collections.unmodifiableMap(new EnumMap<>(parts));
    problems = List.copyOf(problems);
  }

  /**
   * Opens the data set at {@code path}, of whatever layout it is: a folder of class folders, alone
   * or inside {@code train}, {@code val} and {@code test}; a CSV file of paths and labels; a folder
   * of IDX files as MNIST has them; a folder of CIFAR's binary files. Image files are listed, not
   * read.
   *
   * @throws DataException if there is no such data set
   */
  public static Dataset open(Path path) throws DataException {
    if (!Files.exists(path)) {
      throw new DataException(path + " does not exist; check the path and try again");
    }
    try {
      Dataset dataset;
      if (Files.isDirectory(path)) {
        Path cifar = CifarFiles.folder(path);
        if (IdxFiles.present(path)) {
          dataset = IdxFiles.read(path);
        } else if (cifar != null) {
          dataset = CifarFiles.read(cifar);
        } else {
          dataset = ImageFolder.read(path);
        }
      } else if (path.toString().toLowerCase(Locale.ROOT).matches(".*\\.(csv|tsv)")) {
        dataset = CsvList.read(path);
      } else {
        throw new DataException(
            path + " is no data set; give a folder of class folders or a .csv of path,label");
      }
      for (Map.Entry<Part, LabelledImages> part : dataset.parts.entrySet()) {
        if (part.getValue().size() > 0) {
          return dataset;
        }
      }
      throw new DataException(
          path
              + " holds no labelled images; they are expected as <class>/<image>, in"
              + " train/, val/ and test/ or not"
              + (dataset.problems.isEmpty() ? "" : " (" + dataset.problems.getFirst() + ")"));
    } catch (DataException e) {
      throw e;
    } catch (IOException e) {
      throw new DataException(path + " cannot be read (" + reason(e) + ")", e);
    }
  }

  static String reason(IOException e) {
    return e.getMessage() == null || e.getMessage().isEmpty()
        ? e.getClass().getSimpleName()
        : e.getClass().getSimpleName() + ": " + e.getMessage();
  }

  /**
   * The images of {@code part}; of a data set that is not divided, all.
   *
   * @throws DataException if it is divided and has no such part
   */
  public LabelledImages part(Part part) throws DataException {
    LabelledImages all = parts.get(Part.ALL);
    LabelledImages images = all == null ? parts.get(part) : all;
    if (images == null) {
      throw new DataException(
          "%s has no %s part; it has %s".formatted(path, part, String.join(", ", partNames())));
    }
    return images;
  }

  private List<String> partNames() {
    return parts.keySet().stream().map(Part::toString).toList();
  }

  /** The images to evaluate a model on: the test part, else the validation part, else all. */
  public LabelledImages evaluation() throws DataException {
    for (Part part : List.of(Part.TEST, Part.VALIDATION)) {
      LabelledImages images = parts.get(part);
      if (images != null) {
        return images;
      }
    }
    return part(Part.ALL);
  }

  /**
   * Images to train on, to choose by and to test on at last. Parts that the data set has are kept;
   * what it lacks is taken from the images to train on.
   *
   * @throws DataException if the settings leave a part that was asked for without images
   */
  public Split split(Split.Settings settings) throws DataException {
    LabelledImages train = part(Part.TRAIN);
    LabelledImages validation = parts.get(Part.VALIDATION);
    LabelledImages test = parts.get(Part.TEST);
    double forValidation = validation == null ? settings.validation() : 0;
    double forTest = parts.containsKey(Part.ALL) ? settings.test() : 0;
    LabelledImages[] divided =
        Splitter.divide(train, new double[] {forValidation, forTest}, settings, path.toString());
    return new Split(
        divided[0],
        validation == null ? divided[1] : validation,
        test != null ? test : forTest > 0 ? divided[2] : null);
  }
}
