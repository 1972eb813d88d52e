package dev.tessera.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** {@code --top-k}: how many of an image's labels are told. */
final class TopKOption {
  @Option(
      names = {"-k", "--top-k"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Most labels for an image. Default: ${DEFAULT-VALUE}.")
  private int topK;

  /** Fails if the option makes no sense. */
  void check() throws Failure {
    ImageInputs.require(topK >= 1, "--top-k must be at least 1, not " + topK);
  }

  /** Most labels for an image, of so many. */
  int most(List<String> labels) {
    return Math.min(topK, labels.size());
  }
}
