package dev.tessera.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Goes on where an interrupted run stopped. */
final class Resume {
  private Resume() {}

  /**
   * Takes from {@code files} those that {@code recorded} has, and cuts {@code partial} after its
   * last complete record.
   *
   * <p>Images that could not be read left no record. So a file without one is tried: if it cannot
   * be read now either, that is why; otherwise the inputs are others than those of the interrupted
   * run.
   *
   * @param problem says why a file cannot be read, or null if it can
   * @param skipped is told each problem found
   * @return how many files were recorded
   */
  static <I extends Pipeline.Input> long skip(
      Iterator<? extends I> files,
      RecordedFiles recorded,
      Path partial,
      Function<I, @Nullable String> problem,
      Consumer<String> skipped)
      throws IOException, Failure {
    long count = 0;
    for (String expected = recorded.next(); expected != null; expected = recorded.next()) {
      count++;
      I file = null;
      while (file == null) {
        if (!files.hasNext()) {
          throw otherInputs(partial, count, expected, "no more files come now");
        }
        file = files.next();
        if (!file.name().equals(expected)) {
          String reason = problem.apply(file);
          if (reason == null) {
            throw otherInputs(partial, count, expected, "now " + file.name() + " comes there");
          }
          skipped.accept(reason);
          file = null;
        }
      }
    }
    try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
      channel.truncate(recorded.completeBytes());
    }
    return count;
  }

  private static Failure otherInputs(Path partial, long count, String expected, String now) {
    return new Failure(
        ExitCode.USAGE,
        "%s was written for other inputs: its result %d is for %s, but %s; remove it or run without --resume"
            .formatted(partial, count, expected, now));
  }

  /** Whether an interrupted run has left something. */
  static boolean possible(Path target) {
    return Files.isRegularFile(ResultOutput.partial(target));
  }
}
