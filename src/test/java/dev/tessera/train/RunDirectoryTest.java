package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.NewVit;
import dev.tessera.tensor.Tensor;
import dev.tessera.train.RunDirectory.Existing;
import dev.tessera.train.TrainingState.Best;
import dev.tessera.train.TrainingState.Sums;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  private static final TrainingState STATE =
      new TrainingState(
          3,
          17,
          1234,
          1300.1,
          1.0000000000000002,
          98.7,
          new Sums(1.0 / 3, 17, 900, 1088, Double.MIN_VALUE, 16, 0.1, 3e-4),
          new Best(2, 2.0 / 3, 0.7),
          345,
          false);

  @TempDir Path folder;

  @Test
  void theStateComesBackBitForBit() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      Map<String, float[]> written = variables(1.1f, Float.MIN_VALUE, -0.0f);
      run.writeState(STATE, written);
      Map<String, float[]> read = variables(0, 0, 0);
      assertThat(run.readState(read)).isEqualTo(STATE);
      assertThat(read.get("layer.weight")).isEqualTo(written.get("layer.weight"));
      assertThat(read.get("optimizer/step")).isEqualTo(written.get("optimizer/step"));
    }
  }

  @Test
  void theFirstStateIsReadToo() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      assertThat(run.readState(variables(1))).isNull();
      run.writeState(TrainingState.start(), variables(1));
      assertThat(run.readState(variables(2))).isEqualTo(TrainingState.start());
    }
  }

  @Test
  void aStateOfAnotherModelIsRefused() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeState(STATE, variables(1, 2));
      assertThatThrownBy(() -> run.readState(variables(1)))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("holds layer.weight with 2 numbers where this training has 1");
      assertThatThrownBy(() -> run.readState(Map.of("other", new float[1])))
          .hasMessageContaining("other variables");
    }
  }

  @Test
  void aDamagedStateIsRefused() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeState(STATE, variables(1));
      Path file = folder.resolve("run/state.safetensors");
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
      assertThatThrownBy(() -> run.readState(variables(1)))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("state.safetensors cannot be read")
          .hasMessageEndingWith("start again with --overwrite");
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      variables(1).forEach((name, values) -> tensors.put(name, RunDirectory.tensor(values)));
      Storage.disk().write(file, tensors, Map.of("tessera.training", "{\"epoch\": 1}"));
      assertThatThrownBy(() -> run.readState(variables(1))).hasMessageContaining("no count batch");
    }
  }

  @Test
  void aFolderThatIsNotEmptyIsRefused() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeConfig("{}");
    }
    assertThatThrownBy(() -> open(Existing.REFUSE))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("holds a training already; go on with it with --resume");
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("thesis.txt"), "x");
    for (Existing existing : Existing.values()) {
      assertThatThrownBy(() -> RunDirectory.open(other, existing))
          .as("%s", existing)
          .isInstanceOf(RunException.class)
          .hasMessageEndingWith("give another folder");
    }
    assertThat(other.resolve("thesis.txt")).exists();
    assertThatThrownBy(() -> RunDirectory.open(other.resolve("thesis.txt"), Existing.OVERWRITE))
        .hasMessageContaining("is a file");
  }

  @Test
  void overwritingRemovesTheTrainingAndNothingElse() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeConfig("{}");
      run.writeState(STATE, variables(1));
      run.appendMetrics(0, metrics(1));
      run.writeCheckpoint(run.best(), model(1), "card");
      Files.writeString(run.path().resolve("notes.txt"), "mine");
    }
    try (RunDirectory run = open(Existing.OVERWRITE)) {
      assertThat(run.canResume()).isFalse();
      assertThat(run.best()).doesNotExist();
      assertThat(run.path().resolve("metrics.jsonl")).doesNotExist();
      assertThat(run.path().resolve("notes.txt")).hasContent("mine");
    }
  }

  @Test
  void oneTrainingAtATime() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeConfig("{}");
      assertThatThrownBy(() -> open(Existing.RESUME))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("is in use by another training");
    }
    open(Existing.RESUME).close();
  }

  @Test
  void metricsAfterTheStateAreWrittenAgain() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      long first = run.appendMetrics(0, metrics(1));
      run.appendMetrics(first, metrics(2));
      assertThat(run.appendMetrics(first, metrics(2)))
          .isEqualTo(Files.size(folder.resolve("run/metrics.jsonl")));
      assertThat(run.readMetrics(first)).containsExactly(metrics(1));
      assertThat(run.readMetrics(1 << 20)).containsExactly(metrics(1), metrics(2));
    }
  }

  @Test
  void theBestEpochHasTheMostRightAnswersAndOfThoseTheLowestLoss() {
    assertThat(Metrics.best(List.of())).isNull();
    assertThat(Metrics.best(List.of(validated(1, Double.NaN, Double.NaN)))).isNull();
    List<Metrics> epochs =
        List.of(
            validated(1, 0.5, 0.1),
            validated(2, 0.8, 0.9),
            validated(3, 0.8, 0.7),
            validated(4, 0.8, 0.7),
            validated(5, 0.7, 0.2));
    assertThat(Metrics.best(epochs).epoch()).isEqualTo(3);
    Best best = Best.NONE;
    for (Metrics row : epochs) {
      if (best.isBeatenBy(row.validationAccuracy(), row.validationLoss())) {
        best = new Best(row.epoch(), row.validationAccuracy(), row.validationLoss());
      }
    }
    assertThat(best.epoch()).isEqualTo(3);
  }

  private static Metrics validated(long epoch, double accuracy, double loss) {
    return new Metrics(epoch, epoch, 1, 0.5, loss, accuracy, Double.NaN, 1e-3, 1, 1, 1);
  }

  @Test
  void aCheckpointIsAModel() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeCheckpoint(run.best(), model(1), "# One");
      run.writeCheckpoint(run.best(), model(2), "# Two");
      assertThat(run.best().resolve("README.md")).hasContent("# Two");
      try (Model model = Models.load(run.best())) {
        assertThat(model.parameters().get("classifier.weight").toFloats())
            .isEqualTo(model(2).tensors().get("classifier.weight").toFloats());
      }
      try (var files = Files.list(run.path())) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder("best", ".lock");
      }
    }
  }

  /** The disk fills up at every possible write: what was there stays, whole. */
  @Test
  void aFullDiskLeavesTheLastGoodFiles() throws Exception {
    try (RunDirectory run = open(Existing.REFUSE)) {
      run.writeConfig("{}");
      run.writeState(TrainingState.start(), variables(1));
      run.writeCheckpoint(run.best(), model(1), "# One");
    }
    FullDisk disk = new FullDisk();
    try (RunDirectory run = RunDirectory.open(folder.resolve("run"), Existing.RESUME, disk)) {
      for (disk.room = 0; disk.room < 3; disk.room++) {
        disk.used = 0;
        assertThatThrownBy(() -> run.writeCheckpoint(run.best(), model(1), "# One"))
            .isInstanceOf(RunException.class)
            .hasMessageContaining("cannot write")
            .hasMessageContaining("No space left on device")
            .hasMessageContaining("is intact");
        disk.used = disk.room;
        assertThatThrownBy(() -> run.writeState(STATE, variables(9)))
            .isInstanceOf(RunException.class);
        assertThat(run.readState(variables(0))).isEqualTo(TrainingState.start());
        try (Model model = Models.load(run.best())) {
          assertThat(model.labels()).hasSize(2);
        }
      }
      disk.used = disk.room;
      assertThatThrownBy(() -> run.writeCheckpoint(run.last(), model(1), "# One"))
          .isInstanceOf(RunException.class);
      assertThat(run.last()).doesNotExist();
      assertThatThrownBy(() -> run.appendMetrics(0, metrics(1))).isInstanceOf(RunException.class);
    }
  }

  /** Writes {@code room} files and then no more. */
  private static final class FullDisk implements Storage {
    private final Storage disk = Storage.disk();
    int room;
    int used;

    private void use() throws IOException {
      if (used++ >= room) {
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
      disk.append(file, at, bytes);
    }
  }

  private RunDirectory open(Existing existing) throws RunException {
    return RunDirectory.open(folder.resolve("run"), existing);
  }

  private HfDirectory model(long seed) {
    return new NewVit(8, 4, 3, 8, 1, 2, 2).create(folder, List.of("a", "b"), seed);
  }

  private static Map<String, float[]> variables(float... values) {
    Map<String, float[]> variables = new LinkedHashMap<>();
    variables.put("layer.weight", values);
    variables.put("optimizer/step", new float[] {7 * values[0]});
    return variables;
  }

  private static Metrics metrics(long epoch) {
    return new Metrics(
        epoch, 10 * epoch, 1.0 / 3, 0.5, 0.25, 2.0 / 3, Double.NaN, 1e-3, 0.1, 12.3, 4.56);
  }
}
