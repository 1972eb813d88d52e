package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.image.Decoder;
import dev.tessera.image.Limits;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Ranking;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera classify}: labels images. */
@Command(
    name = "classify",
    description = "Label images, or whole folders of them.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera classify --model vit-base photo.jpg",
      "  tessera classify --model vit-base --top-k 1 photos/ more/*.png",
      "  tessera classify --model vit-base photos/ --output labels.jsonl --resume",
      "  tessera classify --model vit-base photos/ --sort-into sorted/ --threshold 0.6",
      "  find . -name '*.jpg' -print0 | tessera classify --model vit-base -0 -",
      "",
      "Files named are always tried; inside folders, hidden files and files without the name ending",
      "of an image are left out. An image that cannot be read is named on standard error and skipped."
    })
final class ClassifyCommand implements Callable<Integer> {
  /** How results are written. */
  enum Format {
    TABLE,
    CSV,
    JSONL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** About what fills a machine: eight images of 224 by 224 pixels. */
  private static final int PIXELS_PER_BATCH = 8 * 224 * 224;

  @Parameters(
      paramLabel = "PATH",
      arity = "1..*",
      description = "Image files, folders, or - for a list of paths on standard input, one a line.")
  private List<String> paths = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = {"-k", "--top-k"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Most labels for an image. Default: ${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = {"-t", "--threshold"},
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Leave out labels with a score below X, from 0 to 1. Default: ${DEFAULT-VALUE}.")
  private float threshold;

  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      description =
          "${COMPLETION-CANDIDATES}. Default: as the name of --output ends, otherwise table.")
  private @Nullable Format format;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write here, not to standard output: to FILE.partial until all is done.")
  private @Nullable Path output;

  @Option(
      names = "--resume",
      description = "Go on with the FILE.partial of a run that was interrupted (csv and jsonl).")
  private boolean resume;

  @Option(
      names = "--include",
      paramLabel = "GLOB",
      description = "In folders, take only files that match, such as '*.jpg' or 'train/**'.")
  private List<String> includes = new ArrayList<>();

  @Option(
      names = "--exclude",
      paramLabel = "GLOB",
      description = "In folders, leave out files and folders that match.")
  private List<String> excludes = new ArrayList<>();

  @Option(
      names = {"-0", "--null"},
      description = "The list on standard input ends each path with NUL, as find -print0 does.")
  private boolean nulSeparated;

  @Option(
      names = "--sort-into",
      paramLabel = "DIR",
      description = {
        "Also put each image into a folder DIR/<label>, never over another file;",
        "images without a label above the threshold go to DIR/_unsure."
      })
  private @Nullable Path sortInto;

  @Option(
      names = "--sort-mode",
      paramLabel = "MODE",
      defaultValue = "copy",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private LabelFolders.Mode sortMode = LabelFolders.Mode.COPY;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images computed at once. Default: as the size of the model's input suggests.")
  private int batchSize;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      description = "Largest image, width times height. Default: 178956970, as in Pillow.")
  private @Nullable Long maxPixels;

  @Override
  public Integer call() throws IOException, Failure {
    checkOptions();
    Path target = output;
    Format chosen = format();
    if (resume && target != null && !Resume.possible(target) && Files.exists(target)) {
      System.err.println("tessera: " + target + " is complete: nothing to resume");
      return ExitCode.OK;
    }
    Engine engine = compute.open();
    try (ImageClassifier classifier = load(engine)) {
      int most = Math.min(topK, classifier.labels().size());
      ResultFormat results =
          switch (chosen) {
            case TABLE -> new TableFormat(classifier.labels());
            case CSV -> new CsvFormat(most);
            case JSONL -> new JsonLinesFormat();
          };
      Decoder decoder = new Decoder(limits());
      int batch = batchSize(classifier);
      ClassifyRun run =
          new ClassifyRun(
              classifier,
              decoder,
              new Ranking(classifier.labels(), classifier.isMultiLabel(), most, threshold),
              results,
              sortInto == null ? null : new LabelFolders(sortInto, sortMode, classifier.labels()),
              batch,
              expectedBatch(batch),
              compute.threads());
      Terminal terminal = Terminal.ofStandardError(target != null);
      ImageFiles files = files(true);
      if (terminal.isInteractive() && !paths.contains("-")) {
        run.count(files(false), terminal);
      }
      if (target == null) {
        return run.run(files, ResultOutput.standardOutput(), terminal);
      }
      return resume && Resume.possible(target)
          ? run.resume(files, target, chosen, terminal)
          : run.run(files, ResultOutput.create(target), terminal);
    }
  }

  private ImageClassifier load(Engine engine) throws IOException, Failure {
    try {
      return ImageClassifier.open(modelOptions.directory(), engine);
    } catch (IOException | Failure | RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  private void checkOptions() throws Failure {
    require(topK >= 1, "--top-k must be at least 1, not " + topK);
    require(threshold >= 0 && threshold <= 1, "--threshold must be from 0 to 1, not " + threshold);
    require(
        batchSize >= 0 && batchSize <= 4096,
        "--batch-size must be from 1 to 4096, not " + batchSize);
    require(
        maxPixels == null || maxPixels >= 1, "--max-pixels must be at least 1, not " + maxPixels);
    require(
        !resume || output != null, "--resume goes on with the file of --output; give that, too");
    require(!resume || format() != Format.TABLE, "--resume works with --format csv and jsonl");
    ImageFiles.check(paths);
  }

  private static void require(boolean holds, String otherwise) throws Failure {
    if (!holds) {
      throw new Failure(ExitCode.USAGE, otherwise);
    }
  }

  private Format format() {
    if (format != null) {
      return format;
    }
    String name = output == null ? "" : output.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".jsonl") || name.endsWith(".json")
        ? Format.JSONL
        : name.endsWith(".csv") ? Format.CSV : Format.TABLE;
  }

  private Limits limits() {
    return maxPixels == null
        ? Limits.DEFAULT
        : new Limits(maxPixels, Limits.DEFAULT.maxFileBytes());
  }

  private int batchSize(ImageClassifier classifier) {
    if (batchSize > 0) {
      return batchSize;
    }
    int pixels = classifier.preprocessor().height() * classifier.preprocessor().width();
    return Math.clamp(PIXELS_PER_BATCH / pixels, 1, 64);
  }

  /** A few files are few images; a folder or a list is probably more than a batch. */
  private int expectedBatch(int batch) {
    for (String path : paths) {
      if (path.equals("-") || Files.isDirectory(Path.of(path))) {
        return batch;
      }
    }
    return ImageClassifier.size(Math.min(paths.size(), batch), batch);
  }

  private ImageFiles files(boolean withList) throws IOException, Failure {
    Set<Path> skipped = sortInto == null ? Set.of() : Set.of(sortInto.toRealPath());
    FileFilter filter = new FileFilter(includes, excludes);
    PathList list =
        withList && paths.contains("-")
            ? new PathList(
                StandardInput.open(),
                Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")),
                nulSeparated)
            : null;
    return new ImageFiles(paths, list, filter, skipped);
  }
}
