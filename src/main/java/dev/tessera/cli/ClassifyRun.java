package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.model.ImageClassifier;
import dev.tessera.model.Prediction;
import dev.tessera.model.Ranking;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One run of {@code tessera classify}: files in, results out, until the end or an interruption. */
final class ClassifyRun {
  private final ImageClassifier classifier;
  private final Decoder decoder;
  private final Ranking ranking;
  private final ResultFormat format;
  private final @Nullable LabelFolders folders;
  private final int batchSize;
  private final int expectedBatch;
  private final int decoders;
  private final StringBuilder line = new StringBuilder();
  private long good;
  private long bad;

  /**
   * @param expectedBatch how many images the first batch will probably have
   */
  ClassifyRun(
      ImageClassifier classifier,
      Decoder decoder,
      Ranking ranking,
      ResultFormat format,
      @Nullable LabelFolders folders,
      int batchSize,
      int expectedBatch,
      int decoders) {
    this.classifier = classifier;
    this.decoder = decoder;
    this.ranking = ranking;
    this.format = format;
    this.folders = folders;
    this.batchSize = batchSize;
    this.expectedBatch = expectedBatch;
    this.decoders = decoders;
  }

  /** Counts the files beside the run, so that the terminal can say how long it takes. */
  void count(Iterator<ImageFile> files, Terminal terminal) {
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

  /** Classifies {@code files} and returns the exit code. */
  int run(Iterator<ImageFile> files, ResultOutput output, Terminal terminal)
      throws IOException, Failure {
    try (output) {
      output.write(format.header());
      return classify(files, output, terminal);
    }
  }

  /** Goes on after what an interrupted run has written, and returns the exit code. */
  int resume(Iterator<ImageFile> files, Path target, ClassifyCommand.Format kind, Terminal terminal)
      throws IOException, Failure {
    Path partial = ResultOutput.partial(target);
    long complete;
    try (RecordedFiles recorded =
        kind == ClassifyCommand.Format.CSV
            ? new CsvRecords(partial, format.header())
            : new JsonLinesRecords(partial)) {
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
      complete = recorded.completeBytes();
    }
    terminal.message("tessera: resuming after " + good + " images");
    terminal.skip(good + bad);
    try (ResultOutput output = ResultOutput.append(target)) {
      if (complete == 0) {
        output.write(format.header());
      }
      return classify(files, output, terminal);
    }
  }

  private @Nullable String problem(ImageFile file) {
    String problem = file.problem();
    if (problem != null) {
      return file.name() + " " + problem;
    }
    try {
      classifier
          .preprocessor()
          .apply(decoder.decode(file.path()), new float[classifier.preprocessor().size()], 0);
      return null;
    } catch (ImageException e) {
      return e.getMessage();
    } catch (IllegalArgumentException e) {
      return file.name() + ": " + e.getMessage();
    }
  }

  private int classify(Iterator<ImageFile> files, ResultOutput output, Terminal terminal)
      throws IOException, Failure {
    Pipeline<ImageFile> pipeline =
        new Pipeline<>(
            files,
            decoder,
            classifier.preprocessor(),
            classifier::logits,
            () -> classifier.prepare(expectedBatch),
            batchSize,
            decoders);
    CountDownLatch written = new CountDownLatch(1);
    Thread hook = new Thread(() -> stop(pipeline, written), "interrupted");
    Runtime.getRuntime().addShutdownHook(hook);
    boolean complete;
    try {
      complete = pipeline.run(outcome -> accept(outcome, output, terminal));
      terminal.erase();
      if (complete) {
        output.commit();
      } else {
        output.close();
        terminal.message("tessera: interrupted after " + (good + bad) + " images");
      }
    } finally {
      terminal.erase();
      written.countDown();
    }
    if (!complete) {
      return ExitCode.INTERRUPTED;
    }
    Runtime.getRuntime().removeShutdownHook(hook);
    return summary(terminal);
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

  private void accept(Pipeline.Outcome<ImageFile> outcome, ResultOutput output, Terminal terminal)
      throws Failure {
    float[] logits = outcome.values();
    if (logits == null) {
      bad++;
      terminal.message("tessera: " + outcome.problem());
    } else {
      good++;
      List<Prediction> predictions = ranking.rank(logits);
      if (folders != null) {
        folders.put(outcome.file().path(), predictions);
      }
      line.setLength(0);
      format.append(line, outcome.file().name(), predictions);
      output.write(line);
    }
    terminal.advance();
  }

  private int summary(Terminal terminal) {
    if (good + bad == 0) {
      terminal.message("tessera: no images found; see --include for files with other name endings");
    } else if (bad > 0) {
      terminal.message("tessera: %d of %d images could not be read".formatted(bad, good + bad));
    }
    return good == 0 ? ExitCode.NO_IMAGE : ExitCode.OK;
  }
}
