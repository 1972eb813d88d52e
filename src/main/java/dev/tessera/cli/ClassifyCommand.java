package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Ranking;
import java.io.IOException;
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

    /** The format asked for, or what the name of the file says. */
    static Format of(@Nullable Format asked, @Nullable Path output) {
      if (asked != null) {
        return asked;
      }
      String name = output == null ? "" : output.toString().toLowerCase(Locale.ROOT);
      return name.endsWith(".jsonl") || name.endsWith(".json")
          ? JSONL
          : name.endsWith(".csv") ? CSV : TABLE;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

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

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

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
      int batch = inputs.batchSize(classifier.preprocessor());
      int expected = ImageInputs.expectedBatch(paths, batch);
      ImageRun<ImageFile> images =
          new ImageRun<>(
              new ImageRun.Steps(
                  inputs.decoder(),
                  classifier.preprocessor(),
                  classifier::logits,
                  () -> classifier.prepare(expected),
                  batch,
                  compute.threads()),
              Terminal.ofStandardError(target != null));
      ClassifyRun run =
          new ClassifyRun(
              images,
              new Ranking(classifier.labels(), classifier.isMultiLabel(), most, threshold),
              results,
              sortInto == null ? null : new LabelFolders(sortInto, sortMode, classifier.labels()));
      Set<Path> skipped = ImageInputs.skipping(sortInto);
      ImageFiles files = inputs.files(paths, skipped);
      images.count(inputs.counted(paths, skipped));
      if (target == null) {
        return run.run(files, ResultOutput.standardOutput());
      }
      return resume && Resume.possible(target)
          ? run.resume(files, target, chosen)
          : run.run(files, ResultOutput.create(target));
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
    ImageInputs.require(topK >= 1, "--top-k must be at least 1, not " + topK);
    ImageInputs.require(
        threshold >= 0 && threshold <= 1, "--threshold must be from 0 to 1, not " + threshold);
    ImageInputs.require(
        !resume || output != null, "--resume goes on with the file of --output; give that, too");
    ImageInputs.require(
        !resume || format() != Format.TABLE, "--resume works with --format csv and jsonl");
    inputs.check(paths);
  }

  private Format format() {
    return Format.of(format, output);
  }
}
