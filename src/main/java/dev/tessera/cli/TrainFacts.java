package dev.tessera.cli;

import dev.tessera.data.Dataset;
import dev.tessera.data.Split;
import dev.tessera.engine.Engine;
import dev.tessera.image.Preprocessor;
import dev.tessera.train.Optimizer;
import dev.tessera.train.ParameterRules.Freeze;
import dev.tessera.train.ScheduleChoice;
import dev.tessera.train.TrainingPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/** What the card of a checkpoint says about the data, the settings and the machine. */
final class TrainFacts {
  private TrainFacts() {}

  static SequencedMap<String, String> data(
      TrainRun.Options options, Dataset dataset, Split split, Preprocessor preprocessor) {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("images", String.valueOf(options.data().getFileName()));
    facts.put("layout", dataset.layout());
    facts.put("training images", String.format(Locale.ROOT, "%,d", split.train().size()));
    facts.put("validation images", String.format(Locale.ROOT, "%,d", split.validation().size()));
    List<String> classes = dataset.classes();
    facts.put(
        classes.size() + " classes",
        classes.size() <= 100
            ? String.join(", ", classes)
            : String.join(", ", classes.subList(0, 100)) + ", ...");
    facts.put("preprocessing", preprocessor.describe());
    return facts;
  }

  static SequencedMap<String, String> settings(TrainRun.Options options, TrainingPlan plan) {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    TrainRecipeOptions recipe = options.recipe();
    ScheduleChoice schedule = plan.schedule();
    facts.put(
        "learning rate",
        "%s at most, %s, %s %% warm-up"
            .formatted(schedule.peak(), schedule.kind(), 100 * schedule.warmup()));
    facts.put("optimizer", optimizer(plan.optimizer()));
    facts.put(
        "batch size",
        plan.accumulation() == 1
            ? String.valueOf(recipe.batchSize)
            : "%d, %d for an update".formatted(recipe.batchSize, plan.accumulation()));
    facts.put(
        "length",
        (plan.steps() > 0
                ? TrainRun.count(plan.steps(), "update")
                : TrainRun.count(plan.epochs(), "epoch"))
            + (plan.maxSeconds() > 0 ? ", at most %s minutes".formatted(recipe.maxMinutes) : ""));
    facts.put("weight decay", plan.rules().weightDecay() + " of matrices and kernels");
    facts.put("learning rate decay by layer", String.valueOf(plan.rules().layerDecay()));
    facts.put(
        "trained",
        switch (plan.rules().freeze()) {
          case Freeze.Nothing() -> "all parameters";
          case Freeze.Backbone() -> "the classifier";
          case Freeze.Blocks(int count) ->
              "all but the embeddings and the first " + count + " blocks";
        });
    facts.put("largest gradient", plan.clip() == 0 ? "any" : String.valueOf(plan.clip()));
    facts.put(
        "moving average of the weights", plan.ema() == 0 ? "none" : String.valueOf(plan.ema()));
    facts.put("label smoothing", String.valueOf(TrainRun.number(recipe.labelSmoothing)));
    facts.put(
        "dropout, stochastic depth",
        plan.regularization().dropout() + ", " + plan.regularization().stochasticDepth());
    facts.put("variation", options.augment().describe());
    facts.put("balancing of classes", options.images().balance().toString());
    facts.put("seed", String.valueOf(plan.seed()));
    return facts;
  }

  private static String optimizer(Optimizer optimizer) {
    return switch (optimizer) {
      case Optimizer.AdamW(double first, double second, double _) ->
          "AdamW, betas %s and %s".formatted(first, second);
      case Optimizer.Adam(double first, double second, double _) ->
          "Adam, betas %s and %s".formatted(first, second);
      case Optimizer.Sgd(double momentum, boolean _) -> "SGD, momentum " + momentum;
      case Optimizer.Muon(double momentum, Optimizer.AdamW others) ->
          "Muon, momentum %s, for the blocks' matrices; %s, for the rest"
              .formatted(momentum, optimizer(others));
    };
  }

  static String machine(Engine engine) {
    return "%s, Java %s, %s"
        .formatted(
            engine.description(),
            System.getProperty("java.version"),
            System.getProperty("os.arch"));
  }
}
