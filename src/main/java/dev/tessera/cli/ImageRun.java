package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One pass of images through a model, files in and rows out, until the end or an interruption.
 * Images that cannot be read are named on standard error, counted and skipped.
 *
 * @param <I> what is read, such as {@link ImageFile}
 */
final class ImageRun<I extends Pipeline.Input> {
  /** Where the rows go. Without {@link #commit}, what was written stays for {@code --resume}. */
  interface Rows<I> extends Closeable {
    /**
     * Takes one image's row. Rows come in the order of the files.
     *
     * @param values what the model computed
     */
    void accept(I file, float[] values) throws IOException, Failure;

    /** All is written. */
    void commit() throws IOException, Failure;
  }

  /**
   * How images are computed.
   *
   * @param decoder reads the files
   * @param preprocessor makes them the model's input
   * @param computation the model
   * @param preparation makes it ready while the first images are decoded
   * @param batchSize images at once
   * @param decoders threads that decode
   */
  record Steps(
      Decoder decoder,
      Preprocessor preprocessor,
      Pipeline.Computation computation,
      Runnable preparation,
      int batchSize,
      int decoders) {}

  private final Steps steps;
  private final Terminal terminal;
  private long good;
  private long bad;

  ImageRun(Steps steps, Terminal terminal) {
    this.steps = steps;
    this.terminal = terminal;
  }

  /** Counts the files beside the run, so that the terminal can say how long it takes. */
  void count(@Nullable Iterator<? extends I> files) {
    if (files == null || !terminal.isInteractive()) {
      return;
    }
    Thread thread =
        new Thread(
            () -> {
              long count = 0;
              while (files.hasNext()) {
                files.next();
                count++;
              }
              terminal.total(count);
            },
            "count");
    thread.setDaemon(true);
    thread.start();
  }

  /** Images of which a row was written, those of an earlier run included. */
  long good() {
    return good;
  }

  /** Images that could not be read. */
  long bad() {
    return bad;
  }

  /**
   * Goes to where an interrupted run stopped: see {@link Resume#skip}.
   *
   * @param files from which those that were done are taken
   */
  void resume(Iterator<? extends I> files, RecordedFiles recorded, Path partial)
      throws IOException, Failure {
    good =
        Resume.skip(
            files,
            recorded,
            partial,
            this::problem,
            problem -> {
              bad++;
              terminal.message("tessera: " + problem);
            });
    terminal.message("tessera: resuming after " + good + " images");
    terminal.skip(good + bad);
  }

  private @Nullable String problem(I file) {
    String problem = file.problem();
    if (problem != null) {
      return file.name() + " " + problem;
    }
    Preprocessor preprocessor = steps.preprocessor;
    try {
      preprocessor.apply(file.decode(steps.decoder), new float[preprocessor.size()], 0);
      return null;
    } catch (ImageException e) {
      return e.getMessage();
    } catch (IllegalArgumentException e) {
      return file.name() + ": " + e.getMessage();
    }
  }

  /** Computes {@code files}, closes {@code rows} and returns the exit code. */
  int run(Iterator<? extends I> files, Rows<I> rows) throws IOException, Failure {
    return pass(files, rows) ? summary() : ExitCode.INTERRUPTED;
  }

  /**
   * Computes {@code files} and closes {@code rows}.
   *
   * @return false if it was interrupted
   */
  boolean pass(Iterator<? extends I> files, Rows<I> rows) throws IOException, Failure {
    Pipeline<I> pipeline =
        new Pipeline<>(
            files,
            steps.decoder,
            steps.preprocessor,
            steps.computation,
            steps.preparation,
            steps.batchSize,
            steps.decoders);
    CountDownLatch written = new CountDownLatch(1);
    Thread hook = new Thread(() -> stop(pipeline, written), "interrupted");
    Runtime.getRuntime().addShutdownHook(hook);
    boolean complete;
    try {
      try (rows) {
        complete = pipeline.run(outcome -> accept(outcome, rows));
        terminal.erase();
        if (complete) {
          rows.commit();
        }
      }
      if (!complete) {
        terminal.message("tessera: interrupted after " + (good + bad) + " images");
      }
    } finally {
      terminal.erase();
      written.countDown();
    }
    if (complete) {
      Runtime.getRuntime().removeShutdownHook(hook);
    }
    return complete;
  }

  /** On Ctrl-C: what is done gets written before the JVM ends. */
  private static void stop(Pipeline<?> pipeline, CountDownLatch written) {
    pipeline.cancel();
    try {
      if (!written.await(10, TimeUnit.SECONDS)) {
        System.err.println("tessera: interrupted");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept(Pipeline.Outcome<I> outcome, Rows<I> rows) throws IOException, Failure {
    float[] values = outcome.values();
    if (values == null) {
      bad++;
      terminal.message("tessera: " + outcome.problem());
    } else {
      good++;
      rows.accept(outcome.file(), values);
    }
    terminal.advance();
  }

  private int summary() {
    if (good + bad == 0) {
      terminal.message("tessera: no images found; see --include for files with other name endings");
    } else if (bad > 0) {
      terminal.message("tessera: %d of %d images could not be read".formatted(bad, good + bad));
    }
    return good == 0 ? ExitCode.NO_IMAGE : ExitCode.OK;
  }
}
