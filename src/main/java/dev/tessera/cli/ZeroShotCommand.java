package dev.tessera.cli;

import dev.tessera.model.ZeroShotClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera zero-shot}: labels images with words that nobody trained for. */
@Command(
    name = "zero-shot",
    description = "Label images with labels of your own, without training (CLIP, SigLIP).",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera zero-shot --model clip-base --labels cat,dog photos/",
      "  tessera zero-shot --model clip-base --labels @animals.txt photos/ -k 1 -o labels.csv",
      "  tessera zero-shot --model siglip-base --labels 'red shoe,blue shoe' \\",
      "                    --template 'a photo of a {}.' --template 'a drawing of a {}.' shoes/",
      "",
      "CLIP shares one score among the labels: give labels of which one holds for each image. SigLIP",
      "scores each label by itself. An image that cannot be read is named on standard error."
    })
final class ZeroShotCommand implements Callable<Integer> {
  /** More is a mistake rather than a list of labels. */
  private static final long MAX_LIST_BYTES = 16 << 20;

  @Parameters(
      paramLabel = "PATH",
      arity = "1..*",
      description = "Image files, folders, or - for a list of paths on standard input, one a line.")
  private List<String> paths = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = {"-l", "--labels"},
      paramLabel = "A,B,...",
      required = true,
      description = "The labels, with commas between them, or @FILE with one a line.")
  private String labels = "";

  @Option(
      names = "--template",
      paramLabel = "TEXT",
      description = {
        "A sentence with {} where a label stands, or @FILE with one a line; the mean of several",
        "counts. Default: " + ZeroShotClassifier.TEMPLATE
      })
  private List<String> templates = new ArrayList<>();

  @Mixin private RankingOptions rankingOptions = new RankingOptions();

  @Mixin private OutputOptions output = new OutputOptions();

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    rankingOptions.check();
    inputs.check(paths);
    List<String> names = labels();
    List<String> sentences = templates();
    try (ZeroShotClassifier classifier =
        compute.open(engine ->
            ZeroShotClassifier.open(modelOptions.directory(), engine, names, sentences))) {
      ImageRun<ImageFile> images =
          new ImageRun<>(
              inputs.steps(
                  classifier.preprocessor(),
                  classifier::logits,
                  classifier::prepare,
                  paths,
                  compute.threads()),
              Terminal.ofStandardError(output.file() != null));
      ClassifyRun run =
          new ClassifyRun(
              images,
              rankingOptions.ranking(names, classifier.isMultiLabel()),
              ResultFormat.of(output.format(), names, rankingOptions.most(names)),
              null);
      images.count(inputs.counted(paths, Set.of()));
      return run.run(inputs.files(paths, Set.of()), output.open());
    }
  }

  private List<String> labels() throws Failure {
    List<String> all =
        labels.startsWith("@") ? lines("--labels", labels) : List.of(labels.split(",", -1));
    Set<String> names = new LinkedHashSet<>();
    for (String name : all) {
      String label = name.strip();
      ImageInputs.require(
          !label.isEmpty(), "--labels has an empty label; give labels with commas between them");
      ImageInputs.require(names.add(label), "--labels has the label " + label + " twice");
    }
    return List.copyOf(names);
  }

  private List<String> templates() throws Failure {
    List<String> all = new ArrayList<>();
    for (String template : templates) {
      if (template.startsWith("@")) {
        all.addAll(lines("--template", template));
      } else {
        all.add(template);
      }
    }
    if (all.isEmpty()) {
      all.add(ZeroShotClassifier.TEMPLATE);
    }
    for (String template : all) {
      ImageInputs.require(
          template.contains(ZeroShotClassifier.PLACE),
          "--template needs {} where the label stands, as in 'a photo of a {}.'; this one has none: "
              + template);
    }
    return all;
  }

  /** The lines of the file that {@code @FILE} names, without those that are empty. */
  private static List<String> lines(String option, String value) throws Failure {
    Path file = Path.of(value.substring(1));
    try {
      if (Files.size(file) > MAX_LIST_BYTES) {
        throw new Failure(ExitCode.USAGE, option + ": " + file + " is too large for a list");
      }
      List<String> lines =
          Files.readAllLines(file).stream().filter(line -> !line.isBlank()).toList();
      ImageInputs.require(!lines.isEmpty(), option + ": " + file + " is empty");
      return lines;
    } catch (IOException e) {
      throw new Failure(
          ExitCode.USAGE,
          option + ": " + file + " cannot be read as a list in UTF-8: " + e.getMessage(),
          e);
    }
  }
}
