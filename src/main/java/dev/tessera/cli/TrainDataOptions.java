package dev.tessera.cli;

import dev.tessera.data.ClassBalance.Weighting;
import dev.tessera.data.Grouping;
import dev.tessera.data.Split;
import java.util.Locale;
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
      description = "Memory for decoded images. Default: a third of the heap.")
  private int cache = -1;

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

  /** In bytes. */
  long cache() {
    return cache < 0 ? Runtime.getRuntime().maxMemory() / 3 : (long) cache << 20;
  }
}
