package dev.tessera.train;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.data.Batch;
import dev.tessera.data.BatchStream;
import dev.tessera.data.Batches;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Graph;
import dev.tessera.image.Preprocessor;
import dev.tessera.metrics.Evaluation;
import dev.tessera.model.Model;
import dev.tessera.model.Outputs;
import dev.tessera.train.TrainingState.Best;
import dev.tessera.train.TrainingState.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model on batches of labelled images until its plan is fulfilled, and leaves in a {@link
 * RunDirectory} what is needed to use it, to see how it went and to go on.
 *
 * <p>All that a training does is a function of its plan, its batches and its state: one that was
 * killed and goes on from its last state comes to the same numbers, bit for bit.
 */
public final class Trainer {
  /** How a training ended. */
  public enum End {
    /** All epochs are done. */
    COMPLETE,
    /** No epoch was better for a while. */
    NO_GAIN,
    /** The time was over. */
    TIME,
    /** Somebody stopped it; it can go on. */
    INTERRUPTED,
    /** It was complete already. */
    NOTHING_LEFT
  }

  private final Model model;
  private final Batches training;
  private final @Nullable Validation validation;
  private final TrainingPlan plan;
  private final RunDirectory run;
  private final Progress progress;
  private final Function<List<Metrics>, String> card;
  private final LongSupplier clock;
  private final Learner learner;
  private final Schedule schedule;
  private final Pace pace;
  private final int batchesPerEpoch;
  private final double totalSteps;

  /** Images that a validation costs as much as: without gradients each is a third of one. */
  private final double validationShare;

  private volatile boolean stopped;

  // Where the training is; see TrainingState.
  private TrainingState state = TrainingState.start();
  private long startedAt;
  private double secondsBefore;
  private double savedAt;
  private List<Metrics> metrics = new ArrayList<>();

  /**
   * Compiles the training.
   *
   * @param model to start from, in the directory that checkpoints are made after
   * @param size of the images, as both kinds of batches have them
   * @param training batches in random order
   * @param validation batches in order, or null where there is nothing to choose by
   * @param card the README.md of a checkpoint, from the metrics so far
   * @throws IllegalArgumentException if the plan does not fit the model or the batches
   */
  public Trainer(
      Engine engine,
      Model model,
      Preprocessor size,
      Batches training,
      @Nullable Batches validation,
      TrainingPlan plan,
      RunDirectory run,
      Progress progress,
      Function<List<Metrics>, String> card,
      LongSupplier clock) {
    if (training.perEpoch() < plan.accumulation()) {
      throw new IllegalArgumentException(
          "an epoch has %d batches, too few for updates from %d each; take smaller batches"
              .formatted(training.perEpoch(), plan.accumulation()));
    }
    this.model = model;
    this.training = training;
    this.plan = plan;
    this.run = run;
    this.progress = progress;
    this.card = card;
    this.clock = clock;
    int updates = training.perEpoch() / plan.accumulation();
    batchesPerEpoch = updates * plan.accumulation();
    totalSteps =
        plan.steps() > 0
            ? plan.steps()
            : Math.min(Integer.MAX_VALUE, (double) plan.epochs() * updates);
    schedule = plan.schedule().of((int) totalSteps);
    pace = new Pace(plan.maxSeconds(), plan.fillTime(), totalSteps);
    Graph graph =
        model.graph(training.settings().batchSize(), size.height(), size.width(), Outputs.RESULT);
    learner = new Learner(engine, model, graph, plan);
    validationShare = validation == null ? 0 : 0.5 * validation.images().size();
    this.validation =
        validation == null
            ? null
            : new Validation(validation, evaluating(engine, size, validation));
  }

  private Executable evaluating(Engine engine, Preprocessor size, Batches batches) {
    Variables weights = learner.weights();
    return engine.compile(
        model
            .graph(batches.settings().batchSize(), size.height(), size.width(), Outputs.RESULT)
            .varying(weights.names()),
        model.parameters(),
        weights);
  }

  /** Has the training end after the update under way, from another thread. */
  public void stop() {
    stopped = true;
  }

  /** How far the run's directory says that the training is, before {@link #train}. */
  public boolean resume() throws RunException {
    TrainingState stored = run.readState(learner.arrays());
    if (stored == null) {
      return false;
    }
    state = stored;
    metrics = run.readMetrics(stored.metricsBytes());
    return true;
  }

  /** Epochs done. */
  public long epochsDone() {
    return state.epoch();
  }

  /** Updates done. */
  public long updatesDone() {
    return state.step();
  }

  /** What was measured in each epoch. */
  public List<Metrics> metrics() {
    return List.copyOf(metrics);
  }

  /**
   * Trains to the end of the plan, from the beginning or where {@link #resume} found it.
   *
   * @throws DivergenceException if the loss is no number any more; the last good state stays
   * @throws RunException if something cannot be written
   */
  public End train()
      throws RunException, CheckpointException, DivergenceException, InterruptedException {
    if (state.finished()) {
      return End.NOTHING_LEFT;
    }
    startedAt = clock.getAsLong();
    secondsBefore = state.seconds();
    savedAt = secondsBefore;
    if (state.step() == 0) {
      save();
    }
    End end = loop();
    if (end != End.INTERRUPTED) {
      finish();
    }
    return end;
  }

  private End loop()
      throws RunException, CheckpointException, DivergenceException, InterruptedException {
    try (BatchStream stream = training.from(state.epoch(), state.batch())) {
      while (true) {
        boolean timeIsOver = epoch(stream);
        if (stopped) {
          save();
          return End.INTERRUPTED;
        }
        if (!validate()) {
          return End.INTERRUPTED;
        }
        if (timeIsOver) {
          return End.TIME;
        }
        if (isAtTheEnd()) {
          return End.COMPLETE;
        }
        if (plan.patience() > 0 && state.epoch() - state.best().epoch() >= plan.patience()) {
          return End.NO_GAIN;
        }
        if (seconds() - savedAt >= plan.checkpointSeconds()) {
          run.writeCheckpoint(run.last(), learner.checkpoint(), card.apply(metrics));
          save();
        }
      }
    }
  }

  private boolean isAtTheEnd() {
    return state.scheduleStep() >= totalSteps - 0.5;
  }

  /**
   * Trains to the end of the epoch, of the schedule or of the time; true at the end of the time.
   */
  private boolean epoch(BatchStream stream)
      throws RunException, DivergenceException, InterruptedException {
    double before = seconds();
    while (state.batch() < batchesPerEpoch) {
      boolean complete;
      try (Batch batch = stream.next()) {
        if (batch == null) {
          throw new IllegalStateException("the stream of batches ended");
        }
        if (batch.index() >= batchesPerEpoch || batch.epoch() < state.epoch()) {
          continue; // too few are left for an update, or the schedule ended before the epoch did
        }
        complete = learn(batch, before);
      }
      before = seconds();
      if (!complete) {
        continue;
      }
      if (stopped) {
        return false;
      }
      if (!pace.hasReserve()) {
        pace.reserve(validationShare * state.sums().seconds() / state.sums().images());
      }
      if (pace.isOver(before)) {
        return true;
      }
      if (isAtTheEnd()) {
        return false;
      }
      if (before - savedAt >= plan.checkpointSeconds()) {
        save();
        before = seconds();
      }
      progress.step(status());
    }
    return false;
  }

  /** Learns from one batch; whether that made an update. */
  private boolean learn(Batch batch, double before) throws DivergenceException {
    double rate = schedule.learningRate(state.scheduleStep());
    TrainingStep.Result result =
        learner
            .step()
            .run(
                Map.of("pixel_values", batch.pixels(), TrainingStep.TARGETS, batch.targets()),
                rate,
                Learner.seed(plan.seed(), batch));
    boolean update = (state.batch() + 1) % plan.accumulation() == 0;
    if (!Double.isFinite(result.loss()) || (update && !Double.isFinite(result.gradientNorm()))) {
      boolean loss = !Double.isFinite(result.loss());
      throw diverged(
          loss ? "loss" : "gradient", loss ? result.loss() : result.gradientNorm(), rate);
    }
    double now = seconds();
    Sums sums =
        state
            .sums()
            .plusBatch(
                result.loss(),
                Learner.right(batch, result.logits()),
                batch.count(),
                rate,
                now - before);
    state =
        new TrainingState(
            state.epoch(),
            state.batch() + 1,
            state.step() + (update ? 1 : 0),
            state.scheduleStep() + (update ? state.stride() : 0),
            state.stride(),
            now,
            update ? sums.plusUpdate(result.gradientNorm()) : sums,
            state.best(),
            state.metricsBytes(),
            false);
    if (update) {
      double stride = pace.next(state.stride(), totalSteps - state.scheduleStep(), now);
      state = state.withStride(stride);
    }
    return update;
  }

  private DivergenceException diverged(String what, double value, double rate) {
    return new DivergenceException(
        ("the %s became %s in epoch %d, at update %d%s; the last good checkpoint is intact: start"
                + " again with a smaller --lr, more --warmup or a tighter --clip")
            .formatted(
                what,
                value,
                state.epoch() + 1,
                state.step() + 1,
                Double.isNaN(rate) ? "" : " and a learning rate of %.3g".formatted(rate)));
  }

  /** Closes the epoch: measures, notes, keeps the better; false if stopped before it was done. */
  private boolean validate()
      throws RunException, CheckpointException, DivergenceException, InterruptedException {
    double before = seconds();
    Evaluation found = validation == null ? null : validation.run(() -> stopped);
    if (validation != null && found == null) {
      save();
      return false;
    }
    pace.reserve(1.2 * (seconds() - before));
    Sums sums = state.sums();
    Metrics now =
        new Metrics(
            state.epoch() + 1,
            state.step(),
            sums.loss() / sums.batches(),
            (double) sums.correct() / sums.images(),
            found == null ? Double.NaN : found.loss(),
            found == null ? Double.NaN : found.top1(),
            found == null || training.images().classes().size() <= 5 ? Double.NaN : found.top5(),
            sums.learningRate(),
            sums.norms() / sums.updates(),
            sums.images() / sums.seconds(),
            seconds());
    metrics.add(now);
    boolean better =
        found != null && state.best().isBeatenBy(now.validationAccuracy(), now.validationLoss());
    long bytes = run.appendMetrics(state.metricsBytes(), now);
    if (better) {
      run.writeCheckpoint(run.best(), learner.checkpoint(), card.apply(metrics));
    }
    state =
        new TrainingState(
            state.epoch() + 1,
            0,
            state.step(),
            state.scheduleStep(),
            state.stride(),
            seconds(),
            Sums.NONE,
            better
                ? new Best(now.epoch(), now.validationAccuracy(), now.validationLoss())
                : state.best(),
            bytes,
            false);
    progress.epoch(List.copyOf(metrics), better);
    return true;
  }

  private void finish() throws RunException, CheckpointException, DivergenceException {
    HfDirectory last = learner.checkpoint();
    String text = card.apply(metrics);
    run.writeCheckpoint(run.last(), last, text);
    if (validation == null) {
      run.writeCheckpoint(run.best(), last, text);
    }
    state = state.withFinished();
    save();
  }

  private void save() throws RunException, DivergenceException {
    String spoiled = learner.spoiled();
    if (spoiled != null) {
      throw diverged("parameter " + spoiled, Double.NaN, Double.NaN);
    }
    state = state.withSeconds(seconds());
    run.writeState(state, learner.arrays());
    savedAt = seconds();
  }

  private double seconds() {
    return secondsBefore + (clock.getAsLong() - startedAt) / 1e9;
  }

  private Progress.Status status() {
    Sums sums = state.sums();
    double done = Math.min(1, state.scheduleStep() / totalSteps);
    return new Progress.Status(
        state.epoch() + 1,
        (double) state.batch() / batchesPerEpoch,
        done,
        sums.loss() / sums.batches(),
        (double) sums.correct() / sums.images(),
        sums.images() / sums.seconds(),
        done > 0 ? state.seconds() * (1 - done) / done : Double.NaN);
  }
}
