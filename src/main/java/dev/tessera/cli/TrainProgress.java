package dev.tessera.cli;

import dev.tessera.data.Batches;
import dev.tessera.report.PlotException;
import dev.tessera.report.Theme;
import dev.tessera.report.TrainingCurves;
import dev.tessera.train.Metrics;
import dev.tessera.train.Progress;
import dev.tessera.train.RunDirectory;
import dev.tessera.train.RunException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;

/** Shows how a training goes: a line that moves on a terminal, a line for each epoch, curves. */
final class TrainProgress implements Progress {
  /** Drawing takes a moment, and short epochs follow each other fast. */
  private static final long DRAWING_INTERVAL = 30_000_000_000L;

  private final Terminal terminal;
  private final RunDirectory run;
  private final Batches training;
  private final List<String> leftOut;
  private long drawn = System.nanoTime() - DRAWING_INTERVAL;
  private int listed = -1;
  private boolean drawable = true;

  /**
   * @param leftOut why files of the data set are not among the images
   */
  TrainProgress(Terminal terminal, RunDirectory run, Batches training, List<String> leftOut) {
    this.terminal = terminal;
    this.run = run;
    this.training = training;
    this.leftOut = leftOut;
  }

  @Override
  public void step(Status status) {
    terminal.status(() -> line(status));
  }

  static String line(Status status) {
    return String.format(
        Locale.ROOT,
        "epoch %d  %d %%  loss %.3f  accuracy %.1f %%  %,.0f images/s  %s left",
        status.epoch(),
        Math.round(100 * status.part()),
        status.loss(),
        100 * status.accuracy(),
        status.imagesPerSecond(),
        Double.isFinite(status.secondsLeft())
            ? Terminal.duration(Math.round(status.secondsLeft()))
            : "?");
  }

  @Override
  public void epoch(List<Metrics> metrics, boolean best) throws RunException {
    terminal.message(line(metrics.getLast(), best));
    listProblems();
    if (System.nanoTime() - drawn >= DRAWING_INTERVAL) {
      draw(metrics);
    }
  }

  static String line(Metrics metrics, boolean best) {
    StringBuilder line = new StringBuilder();
    line.append(
        String.format(
            Locale.ROOT,
            "epoch %d  loss %.3f  accuracy %.2f %%",
            metrics.epoch(),
            metrics.trainLoss(),
            100 * metrics.trainAccuracy()));
    if (Double.isFinite(metrics.validationLoss())) {
      line.append(
          String.format(
              Locale.ROOT,
              "  validation loss %.3f  accuracy %.2f %%",
              metrics.validationLoss(),
              100 * metrics.validationAccuracy()));
    }
    line.append(
        String.format(
            Locale.ROOT,
            "  %,.0f images/s  %s",
            metrics.imagesPerSecond(),
            Terminal.duration(Math.round(metrics.seconds()))));
    return line.append(best ? "  best" : "").toString();
  }

  /** The last picture. */
  void close(List<Metrics> metrics) throws RunException {
    listProblems();
    if (!metrics.isEmpty()) {
      draw(metrics);
    }
  }

  private void draw(List<Metrics> metrics) throws RunException {
    drawn = System.nanoTime();
    if (!drawable) {
      return;
    }
    List<TrainingCurves.Point> points =
        metrics.stream()
            .map(row ->
                new TrainingCurves.Point(
                    row.epoch(),
                    row.trainLoss(),
                    row.validationLoss(),
                    row.trainAccuracy(),
                    row.validationAccuracy(),
                    row.learningRate()))
            .toList();
    try {
      String title = String.valueOf(run.path().toAbsolutePath().normalize().getFileName());
      run.writeCurves(TrainingCurves.png(title, points, Theme.LIGHT));
    } catch (PlotException e) {
      drawable = false;
      terminal.message("tessera: no curves.png: " + e.getMessage());
    }
  }

  /** Names the images that cannot be read, in a file; the first time it grows, says so. */
  private void listProblems() throws RunException {
    SortedMap<String, String> problems = training.problems();
    if (problems.size() + leftOut.size() == Math.max(0, listed)) {
      return;
    }
    listed = problems.size() + leftOut.size();
    StringBuilder text = new StringBuilder();
    leftOut.forEach(line -> text.append(line).append('\n'));
    problems.values().forEach(line -> text.append(line).append('\n'));
    run.write("skipped.txt", text.toString().getBytes(StandardCharsets.UTF_8));
    if (!problems.isEmpty()) {
      terminal.message(
          "tessera: %s cannot be read, see %s"
              .formatted(
                  TrainRun.count(problems.size(), "image"), run.path().resolve("skipped.txt")));
    }
  }
}
