package dev.tessera.cli;

import dev.tessera.data.ClassBalance.Weighting;
import dev.tessera.data.Dataset;
import dev.tessera.data.Grouping;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import dev.tessera.data.PictureCache;
import dev.tessera.data.Split;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a data set is divided and weighted for training. */
final class TrainDataOptions {
  /** What is done about classes with few images. */
  enum Balance {
    NONE,
    WEIGHTED,
    SQRT,
    SAMPLED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    Weighting weighting() {
      return switch (this) {
        case NONE, SAMPLED -> Weighting.NONE;
        case WEIGHTED -> Weighting.BALANCED;
        case SQRT -> Weighting.SQRT;
      };
    }
  }

  @Option(
      names = "--validation",
      paramLabel = "X",
      defaultValue = "0.1",
      description = {
        "Part of the images to choose the best epoch by, where the data have no val folder.",
        "Default: ${DEFAULT-VALUE}; 0 trains on all and keeps the last epoch."
      })
  private double validation;

  @Option(
      names = "--test",
      paramLabel = "X",
      defaultValue = "0",
      description = "Part of the images to leave aside for a test. Default: ${DEFAULT-VALUE}.")
  private double test;

  @Option(
      names = "--split-seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Equal seeds divide alike. Default: ${DEFAULT-VALUE}.")
  private long splitSeed;

  @Option(
      names = "--group",
      paramLabel = "HOW",
      defaultValue = "none",
      description = {
        "Images that must not be divided: none, column (of a CSV), prefix:_ (of file names),",
        "blocks:100 (of file numbers) or regex:EXPRESSION. Default: ${DEFAULT-VALUE}."
      })
  private String group = "none";

  @Option(
      names = "--balance",
      paramLabel = "HOW",
      defaultValue = "none",
      description = {
        "For classes with few images: ${COMPLETION-CANDIDATES}.",
        "weighted and sqrt weigh the loss, sampled shows them as often as the others."
      })
  private Balance balance = Balance.NONE;

  @Option(
      names = "--cache",
      paramLabel = "MIB",
      description = {
        "Room for decoded images. Default: a third of the heap; with --cache-dir, half of what is",
        "free there."
      })
  private int cache = -1;

  @Option(
      names = "--cache-dir",
      paramLabel = "DIR",
      description = {
        "Keep decoded images in files in DIR rather than in memory. Later trainings on the same",
        "images use them, too; nothing else is kept there."
      })
  private @Nullable Path cacheDirectory;

  @Option(
      names = "--labels",
      paramLabel = "NAME,...",
      description = {
        "What the classes are called, in order, where the data only number them (IDX): names",
        "with commas between, or a file with a name a line."
      })
  private @Nullable String labels;

  /** The images under the names of {@code --labels}. */
  Dataset named(Dataset dataset) throws Failure, IOException {
    if (labels == null) {
      return dataset;
    }
    Path file = Path.of(labels);
    List<String> names =
        Files.isRegularFile(file)
            ? Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList()
            : List.of(labels.split(",", -1));
    if (names.size() != dataset.classes().size()
        || new HashSet<>(names).size() != names.size()
        || names.stream().anyMatch(String::isBlank)) {
      throw new Failure(
          ExitCode.USAGE,
          "--labels must name each of the %d classes once; the data have %s"
              .formatted(dataset.classes().size(), dataset.classes()));
    }
    Map<Part, LabelledImages> parts = new LinkedHashMap<>();
    for (Map.Entry<Part, LabelledImages> part : dataset.parts().entrySet()) {
      parts.put(part.getKey(), new LabelledImages(names, part.getValue().images()));
    }
    return new Dataset(dataset.path(), dataset.layout(), names, parts, dataset.problems());
  }

  Split.Settings split() throws Failure {
    try {
      return new Split.Settings(validation, test, splitSeed, Grouping.parse(group));
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  Balance balance() {
    return balance;
  }

  /**
   * Where decoded images are kept.
   *
   * @param share part of the room there is
   */
  PictureCache cache(double share) throws Failure {
    Path folder = cacheDirectory;
    if (folder == null) {
      long room = cache < 0 ? Runtime.getRuntime().maxMemory() / 3 : (long) cache << 20;
      return new PictureCache.Memory((long) (share * room));
    }
    try {
      Files.createDirectories(folder);
      long room = cache < 0 ? Files.getFileStore(folder).getUsableSpace() / 2 : (long) cache << 20;
      return new PictureCache.Disk(folder, (long) (share * room));
    } catch (IOException e) {
      throw ResultOutput.failure(folder.toString(), e);
    }
  }
}
