package dev.tessera.cli;

import dev.tessera.model.Ranking;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code --top-k} and {@code --threshold}: which of an image's labels are told. */
final class RankingOptions {
  @Mixin private TopKOption topK = new TopKOption();

  @Option(
      names = {"-t", "--threshold"},
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Leave out labels with a score below X, from 0 to 1. Default: ${DEFAULT-VALUE}.")
  private float threshold;

  /** Fails if the options make no sense. */
  void check() throws Failure {
    topK.check();
    ImageInputs.require(
        threshold >= 0 && threshold <= 1, "--threshold must be from 0 to 1, not " + threshold);
  }

  /** Most labels for an image, of so many. */
  int most(List<String> labels) {
    return topK.most(labels);
  }

  Ranking ranking(List<String> labels, boolean multiLabel) {
    return new Ranking(labels, multiLabel, most(labels), threshold);
  }
}
