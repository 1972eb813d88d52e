package dev.tessera.cli;

import dev.tessera.search.Index;
import dev.tessera.search.Retrieval;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code tessera index eval}: how well a search finds what has the same label. */
@Command(
    name = "eval",
    description = "Say how well a search by example finds images of the same label.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera index build labelled/ --model dinov2-small -o labelled.index",
      "  tessera index eval labelled.index",
      "",
      "Labels are the folders in the indexed folder. Each image is the query once, and all others",
      "are ranked; an image that is the only one of its label is left out."
    })
final class IndexEvalCommand implements Callable<Integer> {
  @Parameters(paramLabel = "INDEX", description = "The index.")
  private Path path = Path.of("");

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    try (Index index = Index.open(path, 1)) {
      Retrieval retrieval = Retrieval.of(index, compute.threads());
      if (retrieval.queries() == 0) {
        throw new Failure(
            ExitCode.USAGE, path + " has no two images of one label; index a folder of folders");
      }
      System.out.println(
          String.format(
              Locale.ROOT,
              "queries       %,d%nprecision@5   %.4f%nprecision@10  %.4f%nmAP           %.4f",
              retrieval.queries(),
              retrieval.precisionAt5(),
              retrieval.precisionAt10(),
              retrieval.meanAveragePrecision()));
    }
    return ExitCode.OK;
  }
}
