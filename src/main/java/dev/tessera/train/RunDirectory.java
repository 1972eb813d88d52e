package dev.tessera.train;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a training leaves, so that it can be killed at any moment:
 *
 * <ul>
 *   <li>{@code config.json}: the settings, for running it again
 *   <li>{@code metrics.jsonl}: a line for each epoch; {@code curves.png}: the same as a picture
 *   <li>{@code best/} and {@code last/}: model directories
 *   <li>{@code state.safetensors}: the variables and where the training is, for {@code --resume}
 * </ul>
 *
 * Every file is replaced in one move. What the state does not know of yet (a better checkpoint, a
 * line of metrics) is made again, to the same bytes, when the training goes on.
 */
public final class RunDirectory implements AutoCloseable {
  private static final String STATE = "state.safetensors";
  private static final String METRICS = "metrics.jsonl";
  private static final String CONFIG = "config.json";
  private static final String CURVES = "curves.png";
  private static final String LOCK = ".lock";
  private static final Set<String> OWN =
      Set.of(STATE, METRICS, CONFIG, CURVES, LOCK, "best", "last", "skipped.txt", "split.csv");

  /** The key of the state's metadata that holds {@link TrainingState#json}. */
  private static final String POSITION = "tessera.training";

  /** What to do with a directory that holds something already. */
  public enum Existing {
    REFUSE,
    OVERWRITE,
    RESUME
  }

  private final Path path;
  private final Storage storage;
  private final FileChannel lock;

  private RunDirectory(Path path, Storage storage, FileChannel lock) {
    this.path = path;
    this.storage = storage;
    this.lock = lock;
  }

  /**
   * Opens the directory {@code path}, which is made where it is missing, and keeps other trainings
   * out of it until it is closed.
   *
   * @throws RunException if it holds something that is not to be touched, or another process trains
   *     in it
   */
  public static RunDirectory open(Path path, Existing existing) throws RunException {
    return open(path, existing, Storage.disk());
  }

  static RunDirectory open(Path path, Existing existing, Storage storage) throws RunException {
    try {
      if (Files.exists(path) && !Files.isDirectory(path)) {
        throw RunException.unusable(path, "is a file; give a folder for the run");
      }
      Files.createDirectories(path);
      List<String> names = names(path);
      names.remove(LOCK);
      if (!names.isEmpty() && existing == Existing.REFUSE) {
        throw RunException.unusable(
            path,
            names.contains(CONFIG)
                ? "holds a training already; go on with it with --resume, replace it with"
                    + " --overwrite, or give another folder"
                : "is not empty; give another folder");
      }
      if (!names.isEmpty() && !names.contains(CONFIG)) {
        throw RunException.unusable(
            path, "holds " + names.getFirst() + " but no training; give another folder");
      }
      RunDirectory run = new RunDirectory(path, storage, lock(path));
      if (existing == Existing.OVERWRITE) {
        run.clear();
      }
      return run;
    } catch (RunException e) {
      throw e;
    } catch (IOException e) {
      throw RunException.unwritable(path, e);
    }
  }

  private static List<String> names(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return new ArrayList<>(
          files.map(file -> String.valueOf(file.getFileName())).sorted().toList());
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      channel.close();
      throw RunException.unusable(path, "is in use by another training; wait for it or stop it");
    }
    return channel;
  }

  /** Removes what a training leaves, the state first; anything else stays. */
  private void clear() throws IOException {
    Files.deleteIfExists(path.resolve(STATE));
    for (String name : names(path)) {
      if ((OWN.contains(name) || name.endsWith(".part")) && !name.equals(LOCK)) {
        remove(path.resolve(name));
      }
    }
  }

  private static void remove(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  public Path path() {
    return path;
  }

  /** The checkpoint of the best epoch. */
  public Path best() {
    return path.resolve("best");
  }

  /** The checkpoint of the last epoch. */
  public Path last() {
    return path.resolve("last");
  }

  /** The settings. */
  public Path config() {
    return path.resolve(CONFIG);
  }

  /** Whether a training was begun here that can go on. */
  public boolean canResume() {
    return Files.isRegularFile(path.resolve(STATE)) && Files.isDirectory(last());
  }

  /** Replaces a small file, such as the settings. */
  public void write(String name, byte[] bytes) throws RunException {
    Path file = path.resolve(name);
    try {
      storage.write(file, bytes);
    } catch (IOException e) {
      throw RunException.unwritable(file, e);
    }
  }

  /** Replaces the settings. */
  public void writeConfig(String json) throws RunException {
    write(CONFIG, json.getBytes(StandardCharsets.UTF_8));
  }

  /** Replaces the picture of the curves. */
  public void writeCurves(byte[] png) throws RunException {
    write(CURVES, png);
  }

  /**
   * Writes a checkpoint. A new one appears whole; in an old one the weights are replaced, then the
   * card.
   *
   * @param target {@link #best} or {@link #last}
   * @param card its README.md, or empty for none
   */
  public void writeCheckpoint(Path target, HfDirectory files, String card) throws RunException {
    boolean fresh = !Files.isDirectory(target);
    Path folder = fresh ? path.resolve("." + target.getFileName() + ".part") : target;
    try {
      if (fresh) {
        remove(folder);
        Files.createDirectories(folder);
      }
      storage.write(folder.resolve("model.safetensors"), files.tensors(), HfDirectory.METADATA);
      for (Map.Entry<String, String> document : files.documents().entrySet()) {
        storage.write(
            folder.resolve(document.getKey()),
            document.getValue().getBytes(StandardCharsets.UTF_8));
      }
      if (!card.isEmpty()) {
        storage.write(folder.resolve("README.md"), card.getBytes(StandardCharsets.UTF_8));
      }
      if (fresh) {
        Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw RunException.unwritable(target, e);
    }
  }

  /**
   * Replaces the state.
   *
   * @param variables all that the training changes, by name
   */
  void writeState(TrainingState state, Map<String, float[]> variables) throws RunException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    variables.forEach((name, values) -> tensors.put(name, tensor(values)));
    Path file = path.resolve(STATE);
    try {
      storage.write(file, tensors, Map.of(POSITION, state.json()));
    } catch (IOException e) {
      throw RunException.unwritable(file, e);
    }
  }

  /** A view of an array as a tensor of one axis. */
  static Tensor tensor(float[] values) {
    return new Tensor(DType.F32, Shape.of(values.length), MemorySegment.ofArray(values));
  }

  /**
   * Reads the state into {@code variables}, or null if none was written.
   *
   * @throws RunException if it belongs to another training or is damaged
   */
  @Nullable TrainingState readState(Map<String, float[]> variables) throws RunException {
    Path file = path.resolve(STATE);
    if (!Files.exists(file)) {
      return null;
    }
    try (Safetensors stored = Safetensors.open(file)) {
      if (!stored.tensors().keySet().equals(variables.keySet())) {
        throw RunException.unusable(
            file, "holds other variables than this training has; give the run's own settings");
      }
      for (Map.Entry<String, float[]> entry : variables.entrySet()) {
        String name = entry.getKey();
        float[] values = entry.getValue();
        Tensor tensor = stored.tensor(name);
        if (tensor.shape().elements() != values.length) {
          throw RunException.unusable(
              file,
              "holds %s with %d numbers where this training has %d; give the run's own settings"
                  .formatted(name, tensor.shape().elements(), values.length));
        }
        tensor.copyTo(0, values, 0, values.length);
      }
      return TrainingState.parse(stored.metadata().getOrDefault(POSITION, ""));
    } catch (RunException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw RunException.unusable(
          file, "cannot be read (" + e.getMessage() + "); start again with --overwrite");
    }
  }

  /**
   * Adds a line to the metrics after the first {@code at} bytes, which stay.
   *
   * @return the length of the file
   */
  long appendMetrics(long at, Metrics metrics) throws RunException {
    Path file = path.resolve(METRICS);
    byte[] line = metrics.line().getBytes(StandardCharsets.UTF_8);
    try {
      storage.append(file, at, line);
    } catch (IOException e) {
      throw RunException.unwritable(file, e);
    }
    return at + line.length;
  }

  /** The metrics of the epochs done: the lines within the first {@code bytes}. */
  List<Metrics> readMetrics(long bytes) throws RunException {
    Path file = path.resolve(METRICS);
    List<Metrics> metrics = new ArrayList<>();
    if (bytes == 0) {
      return metrics;
    }
    try {
      byte[] all = Files.readAllBytes(file);
      int length = (int) Math.min(bytes, all.length);
      for (String line : new String(all, 0, length, StandardCharsets.UTF_8).lines().toList()) {
        metrics.add(Metrics.parse(line));
      }
      return metrics;
    } catch (IOException e) {
      throw RunException.unusable(
          file, "cannot be read (" + e.getMessage() + "); start again with --overwrite");
    }
  }

  /** Lets other trainings in. */
  @Override
  public void close() throws RunException {
    try {
      lock.close();
    } catch (IOException e) {
      throw RunException.unwritable(path, e);
    }
  }
}
