package dev.tessera.cli;

import dev.tessera.data.Dataset;
import dev.tessera.data.Split;
import dev.tessera.engine.Engine;
import dev.tessera.image.Preprocessor;
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
    facts.put("optimizer", plan.optimizer().toString());
    facts.put("learning rate", plan.schedule().toString());
    facts.put(
        "batch size", TrainRun.value(options.recipe().batchSize) + " × " + plan.accumulation());
    facts.put("epochs planned", String.valueOf(plan.epochs()));
    facts.put("weight decay, layer decay, frozen", plan.rules().toString());
    facts.put("gradient clipping", String.valueOf(plan.clip()));
    facts.put("moving average of the weights", String.valueOf(plan.ema()));
    facts.put("regularization", plan.regularization().toString());
    facts.put("label smoothing", String.valueOf(TrainRun.number(options.recipe().labelSmoothing)));
    facts.put("augmentation", options.augment().augmentation().toString());
    facts.put("mixing", options.augment().mixing().toString());
    facts.put("seed", String.valueOf(plan.seed()));
    return facts;
  }

  static String machine(Engine engine) {
    return "%s, Java %s, %s"
        .formatted(
            engine.description(),
            System.getProperty("java.version"),
            System.getProperty("os.arch"));
  }
}
