package dev.tessera.cli;

import dev.tessera.train.Optimizer;
import dev.tessera.train.ParameterRules;
import dev.tessera.train.ParameterRules.Freeze;
import dev.tessera.train.Recipe;
import dev.tessera.train.ScheduleChoice;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How long, how fast and by which rules; what nobody said follows {@link Recipe}. */
final class TrainRecipeOptions {
  /** Named optimisers. */
  enum Kind {
    ADAMW(true),
    ADAM(false),
    SGD(false),
    MUON(true);

    /** Whether weights decay by themselves. */
    final boolean decoupled;

    Kind(boolean decoupled) {
      this.decoupled = decoupled;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = {"-e", "--epochs"},
      paramLabel = "N",
      description = "Passes over the images. Default: by their number, 20 to 300 from scratch.")
  @Nullable Integer epochs;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Updates of the weights, in place of epochs.")
  @Nullable Integer steps;

  @Option(
      names = "--max-minutes",
      paramLabel = "X",
      description = {
        "End by then: the schedule is run through as fast as needed. Without --epochs and",
        "--steps, take this time."
      })
  @Nullable Double maxMinutes;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images computed at once. Default: by their number and size, 8 to 128.")
  @Nullable Integer batchSize;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      defaultValue = "1",
      description = "Batches for one update. Default: ${DEFAULT-VALUE}.")
  int accumulate = 1;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      defaultValue = "adamw",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  Kind optimizer = Kind.ADAMW;

  @Option(
      names = "--lr",
      paramLabel = "X",
      description = "Highest learning rate. Default: by model and batch, about 1e-3 from scratch.")
  @Nullable Double learningRate;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      defaultValue = "cosine",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  ScheduleChoice.Kind schedule = ScheduleChoice.Kind.COSINE;

  @Option(
      names = "--min-lr",
      paramLabel = "X",
      defaultValue = "0",
      description = "Learning rate at the end of a cosine. Default: ${DEFAULT-VALUE}.")
  double minimum;

  @Option(
      names = "--warmup",
      paramLabel = "X",
      description = "Part of the training in which the learning rate rises. Default: 0.05.")
  @Nullable Double warmup;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      description = "Of matrices; biases, norms and positions are spared. Default: 0.05.")
  @Nullable Double weightDecay;

  @Option(
      names = "--momentum",
      paramLabel = "X",
      description = "Of sgd and muon. Default: 0.9 and 0.95.")
  @Nullable Double momentum;

  @Option(
      names = "--betas",
      paramLabel = "B1,B2",
      defaultValue = "0.9,0.999",
      description = "Of adamw, adam and what muon leaves to adamw. Default: ${DEFAULT-VALUE}.")
  String betas = "0.9,0.999";

  @Option(
      names = "--clip",
      paramLabel = "X",
      defaultValue = "1",
      description = "Largest length of the gradient; 0 for any. Default: ${DEFAULT-VALUE}.")
  double clip;

  @Option(
      names = "--ema",
      paramLabel = "X",
      description = {
        "Validate and save moving averages of the weights, which keep this share of their old",
        "value at each update; 0 for none. Default: about 0.99 in long trainings."
      })
  @Nullable Double ema;

  @Option(
      names = "--layer-decay",
      paramLabel = "X",
      description = {
        "Factor of the learning rate for each layer further from the head. Default: 0.75 for a",
        "trained model, 1 for a new one."
      })
  @Nullable Double layerDecay;

  @Option(names = "--head-only", description = "Train the classifier and nothing else.")
  boolean headOnly;

  @Option(
      names = "--freeze-blocks",
      paramLabel = "N",
      description = "Do not train the embeddings and the first N blocks.")
  @Nullable Integer freezeBlocks;

  @Option(
      names = "--label-smoothing",
      paramLabel = "X",
      description = "Part of each label that all classes share. Default: 0.1.")
  @Nullable Double labelSmoothing;

  @Option(
      names = "--dropout",
      paramLabel = "X",
      defaultValue = "0",
      description = "Part of the features dropped. Default: ${DEFAULT-VALUE}.")
  double dropout;

  @Option(
      names = "--drop-path",
      paramLabel = "X",
      description = {
        "Probability of dropping the last block for an image, rising from 0 at the first",
        "(stochastic depth). Default: 0.1 for new models of 6 and more layers."
      })
  @Nullable Double dropPath;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "0",
      description = "Stop after N epochs without a better one; 0 for never. Default: 0.")
  int patience;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Of everything random. Default: ${DEFAULT-VALUE}.")
  long seed;

  @Option(names = "--take-the-time", hidden = true, description = "Set by --max-minutes alone.")
  boolean fillTime;

  /** Fills in what nobody said. */
  void settle(Recipe.Start start, Recipe recipe) {
    if (epochs == null) {
      epochs = recipe.epochs();
    }
    if (batchSize == null) {
      batchSize = recipe.batchSize();
    }
    if (learningRate == null) {
      // SGD's steps are as long as its gradients, Adam's are not.
      learningRate = (optimizer == Kind.SGD ? 30 : 1) * recipe.learningRate();
    }
    if (warmup == null) {
      warmup = recipe.warmup();
    }
    if (weightDecay == null) {
      weightDecay = optimizer.decoupled ? recipe.weightDecay() : 1e-4;
    }
    if (ema == null) {
      // Of a training that is cut short nobody knows how long it will be: at most 100 updates.
      double average = steps == null ? recipe.ema() : Recipe.average(start, steps);
      ema = maxMinutes == null ? average : Math.min(average, 0.99);
    }
    if (layerDecay == null) {
      layerDecay = recipe.layerDecay();
    }
    if (labelSmoothing == null) {
      labelSmoothing = recipe.labelSmoothing();
    }
    if (dropPath == null) {
      dropPath = recipe.stochasticDepth();
    }
  }

  Optimizer optimizer() throws Failure {
    double mass = momentum != null ? momentum : optimizer == Kind.MUON ? 0.95 : 0.9;
    if (!(mass >= 0 && mass < 1)) {
      throw new Failure(ExitCode.USAGE, "--momentum must be from 0 to below 1, not " + momentum);
    }
    if (optimizer == Kind.SGD) {
      return new Optimizer.Sgd(mass, false);
    }
    String[] parts = betas.split(",", -1);
    try {
      double first = Double.parseDouble(parts[0]);
      double second = Double.parseDouble(parts.length == 2 ? parts[1] : "");
      if (first >= 0 && first < 1 && second >= 0 && second < 1) {
        Optimizer.AdamW adamW = new Optimizer.AdamW(first, second, 1e-8);
        return switch (optimizer) {
          case ADAMW -> adamW;
          case MUON -> new Optimizer.Muon(mass, adamW);
          default -> new Optimizer.Adam(first, second, 1e-8);
        };
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new Failure(
        ExitCode.USAGE, "--betas must be two numbers from 0 to below 1, such as 0.9,0.999");
  }

  ParameterRules rules() {
    Freeze freeze =
        headOnly
            ? new Freeze.Backbone()
            : freezeBlocks != null ? new Freeze.Blocks(freezeBlocks) : new Freeze.Nothing();
    return new ParameterRules(
        weightDecay == null ? 0 : weightDecay, layerDecay == null ? 1 : layerDecay, freeze);
  }
}
