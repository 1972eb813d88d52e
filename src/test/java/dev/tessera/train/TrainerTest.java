package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.data.Batches;
import dev.tessera.data.ImageSource;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Mixing;
import dev.tessera.data.PictureCache;
import dev.tessera.engine.cpu.CpuEngine;
import dev.tessera.graph.Regularization;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Decoder;
import dev.tessera.image.Preprocessor;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.NewVit;
import dev.tessera.tensor.Tensor;
import dev.tessera.train.ParameterRules.Freeze;
import dev.tessera.train.RunDirectory.Existing;
import dev.tessera.train.Trainer.End;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trainings of a very small model on very small images. */
@Timeout(120)
class TrainerTest {
  private static final List<String> CLASSES = List.of("dark", "gray", "light");
  private static final int EPOCHS = 4;

  /** 90 images in batches of 12: seven full ones an epoch. */
  private static final int TRAINING = 90;

  @TempDir Path folder;

  @Test
  void itLearns() throws Exception {
    End end = train("run", plan(EPOCHS), Storage.disk(), Integer.MAX_VALUE);
    assertThat(end).isEqualTo(End.COMPLETE);
    List<Metrics> metrics = metrics("run");
    assertThat(metrics).hasSize(EPOCHS);
    assertThat(metrics.getLast().step()).isEqualTo(7 * EPOCHS);
    assertThat(metrics.getLast().validationAccuracy()).isEqualTo(1);
    assertThat(metrics.getLast().validationLoss())
        .isLessThan(metrics.getFirst().validationLoss() / 2);
    assertThat(metrics.getLast().trainLoss()).isLessThan(metrics.getFirst().trainLoss());
    assertThat(metrics.getFirst().validationTop5()).isNaN();
    assertThat(train("run", plan(EPOCHS), Storage.disk(), Integer.MAX_VALUE))
        .isEqualTo(End.NOTHING_LEFT);
  }

  @Test
  void theCheckpointKnowsWhatTheTrainingKnew() throws Exception {
    train("run", plan(EPOCHS), Storage.disk(), Integer.MAX_VALUE);
    try (Model model = Models.load(folder.resolve("run/best"));
        ImageClassifier classifier =
            ImageClassifier.open(folder.resolve("run/best"), new CpuEngine(2))) {
      assertThat(model.labels()).isEqualTo(CLASSES);
      for (LabelledImage image : images(30, 99).images()) {
        assertThat(classifier.classify(image.source().decode(new Decoder()), 1).getFirst().label())
            .isEqualTo(CLASSES.get(image.label()));
      }
    }
    assertThat(folder.resolve("run/best/README.md")).content().contains("a card after");
  }

  /** Stopped after every second update and gone on with, it comes to the same bits. */
  @ParameterizedTest
  @ValueSource(strings = {"plain", "all"})
  void aTrainingThatIsStoppedComesToTheSameNumbers(String kind) throws Exception {
    TrainingPlan plan = kind.equals("plain") ? plan(2) : everything(2);
    train("whole", plan, Storage.disk(), Integer.MAX_VALUE);
    int sessions = 0;
    while (train("parts", plan, Storage.disk(), 2) == End.INTERRUPTED) {
      sessions++;
    }
    assertThat(sessions).isGreaterThanOrEqualTo(2);
    assertSameResult("whole", "parts");
  }

  /** The disk is full, or the process dies, at any of its writes. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void aTrainingThatCannotWriteComesToTheSameNumbersLater(int writes) throws Exception {
    TrainingPlan plan = plan(2);
    train("whole", plan, Storage.disk(), Integer.MAX_VALUE);
    assertThatThrownBy(() -> train("parts", plan, new Failing(writes), Integer.MAX_VALUE))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("cannot write")
        .hasMessageContaining("No space left on device");
    if (Files.exists(folder.resolve("parts/best"))) {
      Models.load(folder.resolve("parts/best")).close();
    }
    assertThat(train("parts", plan, Storage.disk(), Integer.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertSameResult("whole", "parts");
  }

  @Test
  void aLossThatIsNoNumberEndsTheTrainingAndSpoilsNothing() throws Exception {
    train("run", plan(4), Storage.disk(), 10);
    byte[] state = Files.readAllBytes(folder.resolve("run/state.safetensors"));
    TrainingPlan wild =
        new TrainingPlan(
            4,
            0,
            0,
            false,
            1,
            new ScheduleChoice(ScheduleChoice.Kind.CONSTANT, 1e38, 0, 0),
            new Optimizer.AdamW(0.9, 0.999, 1e-8),
            0,
            0,
            new ParameterRules(0, 1, new Freeze.Nothing()),
            Regularization.NONE,
            1,
            1e9,
            0);
    assertThatThrownBy(() -> train("run", wild, Storage.disk(), Integer.MAX_VALUE))
        .isInstanceOf(DivergenceException.class)
        .hasMessageMatching("the (loss|gradient|parameter .*) became (NaN|-?Infinity) in epoch 2.*")
        .hasMessageContaining("the last good checkpoint is intact");
    assertThat(Files.readAllBytes(folder.resolve("run/state.safetensors"))).isEqualTo(state);
    try (Model model = Models.load(folder.resolve("run/best"))) {
      assertThat(model.parameters().get("classifier.weight").toFloats()[0]).isFinite();
    }
    assertThat(train("run", plan(4), Storage.disk(), Integer.MAX_VALUE)).isEqualTo(End.COMPLETE);
  }

  @Test
  void whenTimeIsLimitedTheScheduleEndsInTime() throws Exception {
    // Each look at the clock takes a tenth of a second: 200 epochs would take minutes.
    long[] now = {0};
    LongSupplier clock = () -> now[0] += 100_000_000;
    TrainingPlan plan = timed(200, 60, false);
    End end = train("run", plan, Storage.disk(), Integer.MAX_VALUE, clock);
    List<Metrics> metrics = metrics("run");
    assertThat(end).isIn(End.COMPLETE, End.TIME);
    assertThat(metrics.getLast().seconds()).isBetween(45.0, 61.0);
    assertThat(metrics.getLast().learningRate()).isLessThan(0.05 * plan.schedule().peak());
    assertThat(metrics.size()).isLessThan(100);
  }

  @Test
  void withNothingButTimeItTakesTheTime() throws Exception {
    long[] now = {0};
    LongSupplier clock = () -> now[0] += 100_000_000;
    train("run", timed(2, 60, true), Storage.disk(), Integer.MAX_VALUE, clock);
    assertThat(metrics("run").getLast().seconds()).isBetween(45.0, 61.0);
    assertThat(metrics("run").size()).isGreaterThan(3);
  }

  @Test
  void itEndsWhenNothingGetsBetter() throws Exception {
    TrainingPlan plan = plan(50);
    TrainingPlan patient =
        new TrainingPlan(
            50,
            0,
            0,
            false,
            1,
            new ScheduleChoice(ScheduleChoice.Kind.CONSTANT, 0, 0, 0),
            plan.optimizer(),
            1,
            0,
            plan.rules(),
            Regularization.NONE,
            1,
            1e9,
            2);
    assertThat(train("run", patient, Storage.disk(), Integer.MAX_VALUE)).isEqualTo(End.NO_GAIN);
    assertThat(metrics("run")).hasSize(3);
  }

  @Test
  void batchesMustSufficeForAnUpdate() {
    TrainingPlan plan = plan(1);
    TrainingPlan greedy =
        new TrainingPlan(
            1,
            0,
            0,
            false,
            8,
            plan.schedule(),
            plan.optimizer(),
            1,
            0,
            plan.rules(),
            Regularization.NONE,
            1,
            0,
            0);
    assertThatThrownBy(() -> train("run", greedy, Storage.disk(), Integer.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("an epoch has 7 batches, too few for updates from 8 each");
  }

  private void assertSameResult(String one, String other) throws Exception {
    assertThat(metrics(other)).hasSameSizeAs(metrics(one));
    for (int i = 0; i < metrics(one).size(); i++) {
      assertThat(untimed(metrics(other).get(i))).isEqualTo(untimed(metrics(one).get(i)));
    }
    for (String file : List.of("best/model.safetensors", "last/model.safetensors")) {
      assertThat(Files.readAllBytes(folder.resolve(other).resolve(file)))
          .as(file)
          .isEqualTo(Files.readAllBytes(folder.resolve(one).resolve(file)));
    }
    try (Safetensors first = Safetensors.open(folder.resolve(one).resolve("state.safetensors"));
        Safetensors second = Safetensors.open(folder.resolve(other).resolve("state.safetensors"))) {
      assertThat(first.tensors().keySet()).isEqualTo(second.tensors().keySet());
      for (String name : first.tensors().keySet()) {
        assertThat(second.tensor(name).toFloats())
            .as(name)
            .isEqualTo(first.tensor(name).toFloats());
      }
    }
  }

  private static Metrics untimed(Metrics row) {
    return new Metrics(
        row.epoch(),
        row.step(),
        row.trainLoss(),
        row.trainAccuracy(),
        row.validationLoss(),
        row.validationAccuracy(),
        row.validationTop5(),
        row.learningRate(),
        row.gradientNorm(),
        0,
        0);
  }

  private End train(String name, TrainingPlan plan, Storage storage, int updates) throws Exception {
    return train(name, plan, storage, updates, System::nanoTime);
  }

  /** Begins or goes on, as the command does; stops after so many updates. */
  private End train(
      String name, TrainingPlan plan, Storage storage, int updates, LongSupplier clock)
      throws Exception {
    try (RunDirectory run = RunDirectory.open(folder.resolve(name), Existing.RESUME, storage);
        CpuEngine engine = new CpuEngine(2)) {
      if (!run.canResume()) {
        run.writeConfig("{}");
        run.writeCheckpoint(
            run.last(), new NewVit(8, 4, 1, 16, 2, 2, 2).create(run.last(), CLASSES, 7), "");
      }
      try (Model model = Models.load(run.last())) {
        Preprocessor size = ImageClassifier.preprocessor(model);
        boolean varied = plan.accumulation() > 1;
        Batches.Settings settings =
            Batches.Settings.training(12, 5)
                .withLabelSmoothing(varied ? 0.1 : 0)
                .withMixing(varied ? new Mixing(0.2, 1, 0.5, 0.5, Mixing.Mode.BATCH) : Mixing.NONE);
        Stopping progress = new Stopping(updates);
        Trainer trainer =
            new Trainer(
                engine,
                model,
                size,
                batches(TRAINING, 1, size, varied ? Augmentation.small(1) : null, settings),
                batches(25, 2, size, null, Batches.Settings.evaluation(12)),
                plan,
                run,
                progress,
                metrics -> "a card after " + metrics.size(),
                clock);
        progress.trainer = trainer;
        trainer.resume();
        return trainer.train();
      }
    }
  }

  private static final class Stopping implements Progress {
    private int left;
    @Nullable Trainer trainer;

    Stopping(int updates) {
      left = updates;
    }

    @Override
    public void step(Status status) {
      assertThat(status.done()).isBetween(0.0, 1.0);
      assertThat(status.part()).isBetween(0.0, 1.0);
      if (--left == 0) {
        trainer.stop();
      }
    }

    @Override
    public void epoch(List<Metrics> metrics, boolean best) {
      assertThat(metrics).isNotEmpty();
    }
  }

  private static Batches batches(
      int count,
      long seed,
      Preprocessor size,
      @Nullable Augmentation augmentation,
      Batches.Settings settings) {
    return new Batches(
        images(count, seed), size, augmentation, new Decoder(), new PictureCache.None(), settings);
  }

  /** Noise around one of three levels. */
  private static LabelledImages images(int count, long seed) {
    Random random = new Random(seed);
    List<LabelledImage> images = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] samples = new byte[64];
      for (int p = 0; p < samples.length; p++) {
        samples[p] = (byte) (40 + 70 * (i % 3) + random.nextInt(40));
      }
      images.add(
          new LabelledImage("image#" + i, new ImageSource.Samples(8, 8, samples), i % 3, null));
    }
    return new LabelledImages(CLASSES, images);
  }

  private List<Metrics> metrics(String name) throws IOException {
    List<Metrics> metrics = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl"))) {
      metrics.add(Metrics.parse(line));
    }
    return metrics;
  }

  private static TrainingPlan plan(int epochs) {
    return new TrainingPlan(
        epochs,
        0,
        0,
        false,
        1,
        new ScheduleChoice(ScheduleChoice.Kind.COSINE, 1e-2, 0, 0.1),
        new Optimizer.AdamW(0.9, 0.999, 1e-8),
        1,
        0,
        new ParameterRules(0.05, 1, new Freeze.Nothing()),
        Regularization.NONE,
        1,
        0,
        0);
  }

  /** With everything that has a state or a random number. */
  private static TrainingPlan everything(int epochs) {
    return new TrainingPlan(
        epochs,
        0,
        0,
        false,
        2,
        new ScheduleChoice(ScheduleChoice.Kind.ONE_CYCLE, 1e-2, 0, 0.3),
        new Optimizer.AdamW(0.9, 0.99, 1e-8),
        0.5,
        0.9,
        new ParameterRules(0.05, 0.8, new Freeze.Blocks(1)),
        new Regularization(0.1, 0.2),
        3,
        0,
        0);
  }

  private static TrainingPlan timed(int epochs, double seconds, boolean fill) {
    TrainingPlan plan = plan(epochs);
    return new TrainingPlan(
        epochs,
        0,
        seconds,
        fill,
        1,
        plan.schedule(),
        plan.optimizer(),
        1,
        0,
        plan.rules(),
        Regularization.NONE,
        1,
        1e9,
        0);
  }

  /** A disk with room for so many files and not one more. */
  private static final class Failing implements Storage {
    private final Storage disk = Storage.disk();
    private int room;

    Failing(int room) {
      this.room = room;
    }

    private void use() throws IOException {
      if (room-- <= 0) {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public void write(Path file, byte[] bytes) throws IOException {
      use();
      disk.write(file, bytes);
    }

    @Override
    public void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
        throws IOException {
      use();
      disk.write(file, tensors, metadata);
    }

    @Override
    public void append(Path file, long at, byte[] bytes) throws IOException {
      use();
      disk.append(file, at, Arrays.copyOf(bytes, bytes.length));
    }
  }
}
