package dev.tessera.cli;

import dev.tessera.checkpoint.Json;
import dev.tessera.data.Batches;
import dev.tessera.data.ClassBalance;
import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Split;
import dev.tessera.data.SplitTable;
import dev.tessera.engine.Engine;
import dev.tessera.graph.Regularization;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Decoder;
import dev.tessera.image.Preprocessor;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.train.DivergenceException;
import dev.tessera.train.Metrics;
import dev.tessera.train.ModelCard;
import dev.tessera.train.RunDirectory;
import dev.tessera.train.ScheduleChoice;
import dev.tessera.train.Trainer;
import dev.tessera.train.TrainingPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One run of {@code tessera train}: from data and options to a run's directory. */
final class TrainRun {
  /** What was asked for; the groups are settled in {@link #call}. */
  record Options(
      Path data,
      TrainModelOptions model,
      TrainDataOptions images,
      TrainRecipeOptions recipe,
      TrainAugmentOptions augment,
      ComputeOptions compute,
      double checkpointEvery) {}

  private final Options options;
  private final RunDirectory run;
  private final Terminal terminal;
  private final Map<String, @Nullable Object> stored;
  private final Decoder decoder = new Decoder();

  /**
   * @param stored the config of the training that goes on; empty for a new one
   */
  TrainRun(
      Options options, RunDirectory run, Terminal terminal, Map<String, @Nullable Object> stored) {
    this.options = options;
    this.run = run;
    this.terminal = terminal;
    this.stored = stored;
  }

  /**
   * Trains.
   *
   * @param command what was typed
   * @param settled reads the options, once they are all settled
   * @return the exit code
   */
  int call(String command, Supplier<Map<String, Object>> settled)
      throws IOException, Failure, DivergenceException, InterruptedException {
    Dataset dataset = options.images().named(Dataset.open(options.data()));
    Split split = dataset.split(options.images().split());
    describe(dataset, split);
    String fingerprint = fingerprint(split);
    List<String> origin = new ArrayList<>();
    if (stored.isEmpty() || !run.canResume()) {
      new TrainStart(options, decoder)
          .write(
              run,
              split,
              origin,
              () -> {
                Map<String, Object> config = new LinkedHashMap<>();
                config.put("tessera", TesseraCommand.version()[0]);
                config.put("command", command);
                config.put("data", options.data().toAbsolutePath().normalize().toString());
                config.put("fingerprint", fingerprint);
                config.put("origin", List.copyOf(origin));
                config.put("options", settled.get());
                return Json.write(config);
              });
      String table = SplitTable.of(split);
      if (table != null) {
        run.write("split.csv", table.getBytes(StandardCharsets.UTF_8));
      }
    } else {
      if (!fingerprint.equals(stored.get("fingerprint"))) {
        throw new Failure(
            ExitCode.USAGE,
            options.data()
                + " holds other images, classes or groups than when the training in "
                + run.path()
                + " began; put them back, or start anew with --overwrite");
      }
      if (stored.get("origin") instanceof List<?> sentences) {
        sentences.forEach(sentence -> origin.add(String.valueOf(sentence)));
      }
    }
    origin.forEach(sentence -> terminal.message("tessera: " + sentence));
    String typed = stored.get("command") instanceof String text ? text : command;
    Engine engine = options.compute().openToTrain();
    try (engine;
        Model model = Models.load(run.last())) {
      return train(engine, model, dataset, split, origin, typed);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  private int train(
      Engine engine, Model model, Dataset dataset, Split split, List<String> origin, String command)
      throws IOException, Failure, DivergenceException, InterruptedException {
    Preprocessor preprocessor = ImageClassifier.preprocessor(model);
    try (Batches training = training(split.train(), preprocessor);
        Batches validation =
            split.validation().size() == 0 ? null : validation(split.validation(), preprocessor)) {
      TrainingPlan plan = plan();
      ModelCard card =
          new ModelCard(
              String.valueOf(run.path().toAbsolutePath().normalize().getFileName()),
              origin,
              TrainFacts.data(options, dataset, split, preprocessor),
              TrainFacts.settings(options, plan),
              command,
              TrainFacts.machine(engine));
      TrainProgress progress = new TrainProgress(terminal, run, training, dataset.problems());
      Trainer trainer =
          new Trainer(
              engine,
              model,
              preprocessor,
              training,
              validation,
              plan,
              run,
              progress,
              card::text,
              System::nanoTime);
      if (!stored.isEmpty() && trainer.resume()) {
        terminal.message("tessera: going on after " + count(trainer.updatesDone(), "update"));
      }
      terminal.message("tessera: " + describe(plan, training));
      return run(trainer, progress);
    }
  }

  private int run(Trainer trainer, TrainProgress progress)
      throws IOException, DivergenceException, InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook = new Thread(() -> stop(trainer, ended), "interrupted");
    Runtime.getRuntime().addShutdownHook(hook);
    Trainer.End end;
    try {
      end = trainer.train();
      progress.close(trainer.metrics());
      if (end == Trainer.End.INTERRUPTED) {
        terminal.message(
            "tessera: interrupted in epoch %d; go on with: tessera train --resume --output %s"
                .formatted(trainer.epochsDone() + 1, run.path()));
      }
    } finally {
      terminal.erase();
      ended.countDown();
    }
    if (end == Trainer.End.INTERRUPTED) {
      return ExitCode.INTERRUPTED;
    }
    Runtime.getRuntime().removeShutdownHook(hook);
    switch (end) {
      case NOTHING_LEFT -> terminal.message("tessera: this training is complete already");
      case NO_GAIN -> terminal.message("tessera: no better epoch for a while, so this is the end");
      case TIME -> terminal.message("tessera: the time is over");
      case COMPLETE, INTERRUPTED -> {}
    }
    System.out.println(result(trainer.metrics()));
    return ExitCode.OK;
  }

  /** On Ctrl-C: the update under way is finished and the state written before the JVM ends. */
  private static void stop(Trainer trainer, CountDownLatch ended) {
    trainer.stop();
    try {
      if (!ended.await(60, TimeUnit.SECONDS)) {
        System.err.println("tessera: interrupted");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String result(List<Metrics> metrics) {
    Metrics best = Metrics.best(metrics);
    return best == null
        ? run.best() + ": trained on all images, none were left to validate"
        : String.format(
            Locale.ROOT,
            "%s: %.2f %% of the validation images right, after epoch %d",
            run.best(),
            100 * best.validationAccuracy(),
            best.epoch());
  }

  private Batches training(LabelledImages images, Preprocessor preprocessor) throws Failure {
    TrainDataOptions.Balance balance = options.images().balance();
    TrainRecipeOptions recipe = options.recipe();
    Augmentation augmentation =
        options.augment().augmentation().withSourceEdge(2 * preprocessor.height());
    ClassBalance counts = ClassBalance.of(images);
    Batches.Settings settings =
        Batches.Settings.training(value(recipe.batchSize), recipe.seed)
            .withSampling(
                balance == TrainDataOptions.Balance.SAMPLED
                    ? Batches.Sampling.BALANCED
                    : Batches.Sampling.SHUFFLED)
            .withClassWeights(
                balance == TrainDataOptions.Balance.WEIGHTED
                        || balance == TrainDataOptions.Balance.SQRT
                    ? counts.weights(balance.weighting())
                    : null)
            .withMixing(options.augment().mixing())
            .withLabelSmoothing(number(recipe.labelSmoothing))
            .withThreads(options.compute().threads())
            .withPrefetch(3);
    return new Batches(
        images, preprocessor, augmentation, decoder, options.images().cache(1), settings);
  }

  private Batches validation(LabelledImages images, Preprocessor preprocessor) throws Failure {
    return new Batches(
        images,
        preprocessor,
        null,
        decoder,
        options.images().cache(0.125),
        Batches.Settings.evaluation(value(options.recipe().batchSize))
            .withThreads(options.compute().threads()));
  }

  private TrainingPlan plan() throws Failure {
    TrainRecipeOptions recipe = options.recipe();
    double minutes = number(recipe.maxMinutes);
    return new TrainingPlan(
        value(recipe.epochs),
        recipe.steps == null ? 0 : recipe.steps,
        60 * minutes,
        recipe.fillTime,
        recipe.accumulate,
        new ScheduleChoice(
            recipe.schedule, number(recipe.learningRate), recipe.minimum, number(recipe.warmup)),
        recipe.optimizer(),
        recipe.clip,
        number(recipe.ema),
        recipe.rules(),
        new Regularization(recipe.dropout, number(recipe.dropPath)),
        recipe.seed,
        60 * options.checkpointEvery(),
        recipe.patience);
  }

  private void describe(Dataset dataset, Split split) {
    ClassBalance balance = ClassBalance.of(split.train());
    terminal.message(
        String.format(
            Locale.ROOT,
            "tessera: %,d training and %,d validation images of %d classes (%s)%s",
            split.train().size(),
            split.validation().size(),
            dataset.classes().size(),
            dataset.layout(),
            balance.ratio() > 2
                ? String.format(
                    Locale.ROOT,
                    "; the largest class has %.1f times the images of the smallest (see --balance)",
                    balance.ratio())
                : ""));
    if (!dataset.problems().isEmpty()) {
      terminal.message(
          "tessera: left out %s, such as: %s"
              .formatted(count(dataset.problems().size(), "file"), dataset.problems().getFirst()));
    }
  }

  private String describe(TrainingPlan plan, Batches training) {
    return String.format(
        Locale.ROOT,
        "%s of %d images, %s, learning rate %.3g (%s)%s",
        plan.steps() > 0
            ? count(plan.steps(), "update")
            : count(plan.epochs(), "epoch") + " of " + count(training.perEpoch(), "batch"),
        training.settings().batchSize(),
        options.recipe().optimizer,
        plan.schedule().peak(),
        plan.schedule().kind(),
        plan.maxSeconds() > 0
            ? String.format(Locale.ROOT, ", at most %.4g minutes", plan.maxSeconds() / 60)
            : "");
  }

  static String count(long count, String thing) {
    return String.format(
        Locale.ROOT,
        "%,d %s",
        count,
        count == 1 ? thing : thing + (thing.endsWith("tch") ? "es" : "s"));
  }

  /** Tells whether a training that goes on sees the images it began with. */
  private static String fingerprint(Split split) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      split.train().classes().forEach(name -> update(digest, name));
      for (LabelledImages part : List.of(split.train(), split.validation())) {
        update(digest, "part");
        for (LabelledImage image : part.images()) {
          update(digest, image.id());
          update(digest, Integer.toString(image.label()));
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private static void update(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
  }

  static int value(@Nullable Integer option) {
    if (option == null) {
      throw new IllegalStateException("an option is not settled");
    }
    return option;
  }

  static double number(@Nullable Double option) {
    return option == null ? 0 : option;
  }
}
