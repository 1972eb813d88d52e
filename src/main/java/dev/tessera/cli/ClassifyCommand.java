package dev.tessera.cli;

import dev.tessera.model.ImageClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
  @Parameters(
      paramLabel = "PATH",
      arity = "1..*",
      description = "Image files, folders, or - for a list of paths on standard input, one a line.")
  private List<String> paths = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private RankingOptions rankingOptions = new RankingOptions();

  @Mixin private OutputOptions output = new OutputOptions();

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
    Path target = output.file();
    if (resume && target != null && !Resume.possible(target) && Files.exists(target)) {
      System.err.println("tessera: " + target + " is complete: nothing to resume");
      return ExitCode.OK;
    }
    try (ImageClassifier classifier =
        compute.open(engine -> ImageClassifier.open(modelOptions.directory(), engine))) {
      List<String> labels = classifier.labels();
      ImageRun<ImageFile> images =
          new ImageRun<>(
              inputs.steps(
                  classifier.preprocessor(),
                  classifier::logits,
                  classifier::prepare,
                  paths,
                  compute.threads()),
              Terminal.ofStandardError(target != null));
      ClassifyRun run =
          new ClassifyRun(
              images,
              rankingOptions.ranking(labels, classifier.isMultiLabel()),
              ResultFormat.of(output.format(), labels, rankingOptions.most(labels)),
              sortInto == null ? null : new LabelFolders(sortInto, sortMode, labels));
      Set<Path> skipped = ImageInputs.skipping(sortInto);
      ImageFiles files = inputs.files(paths, skipped);
      images.count(inputs.counted(paths, skipped));
      return resume && target != null && Resume.possible(target)
          ? run.resume(files, target, output.format())
          : run.run(files, output.open());
    }
  }

  private void checkOptions() throws Failure {
    rankingOptions.check();
    ImageInputs.require(
        !resume || output.file() != null,
        "--resume goes on with the file of --output; give that, too");
    ImageInputs.require(
        !resume || output.format() != OutputOptions.Format.TABLE,
        "--resume works with --format csv and jsonl");
    inputs.check(paths);
  }
}
