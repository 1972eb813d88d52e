package dev.tessera.cli;

import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import dev.tessera.engine.Engine;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.RgbImage;
import dev.tessera.model.ImageClassifier;
import dev.tessera.report.EvaluationPage;
import dev.tessera.report.EvaluationReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera eval}: what a model's answers are worth. */
@Command(
    name = "eval",
    description = "Measure a model on labelled images: accuracy, confusion, calibration.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera eval runs/flowers/best flowers/",
      "  tessera eval vit-base photos.csv --format json --output result.json",
      "  tessera eval vit-fashion-mnist /usr/share/datasets/fashion-mnist --html report.html",
      "",
      "DATA is what 'tessera train' reads, too: DIR/<class>/*.jpg, DIR/{train,val,test}/<class>, a CSV",
      "file of path,label, or a folder of IDX files or of CIFAR's binary files. Its classes are found",
      "among the model's labels by name, whatever the case; names that are all numbers, or a model's",
      "LABEL_0, LABEL_1, ..., are matched by their order. Of equal scores the first label counts.",
      "Means over classes are over those that the data has images of. An image that cannot be read is",
      "named on standard error and counts for nothing."
    })
final class EvalCommand implements Callable<Integer> {
  /** How results are written. */
  enum Format {
    TABLE,
    JSON;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final int MOST_MISTAKES = 1000;

  @Parameters(index = "0", paramLabel = "MODEL", description = "Hugging Face model directory.")
  private Path directory = Path.of("");

  @Parameters(index = "1", paramLabel = "DATA", description = "Labelled images.")
  private Path data = Path.of("");

  @Option(
      names = "--split",
      paramLabel = "PART",
      description = {
        "Which part of the data: ${COMPLETION-CANDIDATES}.",
        "Default: test, else validation, else all."
      })
  private @Nullable Part split;

  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES}. Default: json if --output ends so, otherwise table.")
  private @Nullable Format format;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write here, not to standard output.")
  private @Nullable Path output;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a report with plots and thumbnails: one file that needs no other.")
  private @Nullable Path html;

  @Option(
      names = "--mistakes",
      paramLabel = "N",
      defaultValue = "12",
      description =
          "List the N wrong answers that the model was surest of. Default: ${DEFAULT-VALUE}.")
  private int mistakes;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images computed at once. Default: as the size of the model's input suggests.")
  private int batchSize;

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    ImageInputs.require(
        batchSize >= 0 && batchSize <= 4096,
        "--batch-size must be from 1 to 4096, not " + batchSize);
    ImageInputs.require(
        mistakes >= 0 && mistakes <= MOST_MISTAKES,
        "--mistakes must be from 0 to %d, not %d".formatted(MOST_MISTAKES, mistakes));
    ResultOutput.check(output);
    ResultOutput.check(html);
    Dataset dataset = Dataset.open(data);
    LabelledImages images = images(dataset);
    Engine engine = compute.open();
    try (ImageClassifier classifier =
        ComputeOptions.with(engine, open -> ImageClassifier.open(directory, open))) {
      EvalRun run =
          new EvalRun(
              classifier,
              images.relabelled(classifier.labels()),
              mistakes,
              batchSize > 0 ? batchSize : ImageInputs.batchSizeFor(classifier.preprocessor()),
              compute.threads());
      List<String> problems = new ArrayList<>(dataset.problems());
      Terminal terminal = Terminal.ofStandardError(true);
      dataset.problems().forEach(problem -> terminal.message("tessera: " + problem));
      run.run(terminal, problems);
      EvaluationReport report =
          new EvaluationReport(
              directory.toString(),
              data.toString(),
              dataset.layout(),
              part(dataset) == Part.ALL ? "all images" : part(dataset).toString(),
              classifier.labels(),
              run.evaluation(),
              run.mistakes(),
              problems,
              classifier.preprocessor().describe(),
              engine.name());
      if (report.evaluation().count() == 0) {
        throw new Failure(
            ExitCode.NO_IMAGE, "none of the %d images could be read".formatted(images.size()));
      }
      write(report, images);
      return ExitCode.OK;
    }
  }

  /** The part that is measured: the one asked for, or the best one there is for that. */
  private Part part(Dataset dataset) {
    if (dataset.parts().containsKey(Part.ALL)) {
      return Part.ALL;
    }
    if (split != null) {
      return split;
    }
    return dataset.parts().containsKey(Part.TEST)
        ? Part.TEST
        : dataset.parts().containsKey(Part.VALIDATION) ? Part.VALIDATION : Part.ALL;
  }

  private LabelledImages images(Dataset dataset) throws IOException {
    Part part = part(dataset);
    if (split != null && split != part) {
      System.err.println(
          "tessera: " + data + " is not divided into parts: all its images are measured");
    }
    if (part != Part.ALL || dataset.parts().containsKey(Part.ALL)) {
      return dataset.part(part);
    }
    List<LabelledImage> all = new ArrayList<>();
    dataset.parts().values().forEach(images -> all.addAll(images.images()));
    return new LabelledImages(dataset.classes(), all);
  }

  private void write(EvaluationReport report, LabelledImages images) throws IOException, Failure {
    boolean json =
        format == null
            ? output != null && output.toString().toLowerCase(Locale.ROOT).endsWith(".json")
            : format == Format.JSON;
    try (ResultOutput out = ResultOutput.to(output)) {
      out.write(json ? EvalJson.text(report) : EvalTable.text(report));
      out.commit();
    }
    if (html != null) {
      Decoder decoder = new Decoder();
      String page =
          EvaluationPage.html(report, mistake -> picture(images.get(mistake.image()), decoder));
      ResultOutput.write(html, page.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static @Nullable RgbImage picture(LabelledImage image, Decoder decoder) {
    try {
      return image.source().decode(decoder);
    } catch (ImageException e) {
      return null;
    }
  }
}
