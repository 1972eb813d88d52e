package dev.tessera.cli;

import dev.tessera.metrics.ClassScores;
import dev.tessera.metrics.ConfusionMatrix;
import dev.tessera.metrics.Evaluation;
import dev.tessera.metrics.Mistakes.Mistake;
import dev.tessera.report.EvaluationReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** An evaluation in aligned columns, for people. */
final class EvalTable {
  /** A wider matrix does not fit a terminal; then the commonest mistakes stand alone. */
  private static final int MOST_COLUMNS = 16;

  private static final int SHORT = 5;
  private static final int COMMONEST = 10;
  private static final int LABEL_WIDTH = 32;

  private final EvaluationReport report;
  private final StringBuilder out = new StringBuilder();

  private EvalTable(EvaluationReport report) {
    this.report = report;
  }

  static String text(EvaluationReport report) {
    EvalTable table = new EvalTable(report);
    table.summary();
    table.classes();
    table.confusion();
    table.mistakes();
    return table.out.toString();
  }

  private void summary() {
    Evaluation evaluation = report.evaluation();
    row("model", report.model());
    row("data", "%s (%s), %s".formatted(report.data(), report.layout(), report.part()));
    row(
        "images",
        String.format(Locale.ROOT, "%,d", evaluation.count())
            + (report.problems().isEmpty()
                ? ""
                : String.format(
                    Locale.ROOT, ", and %,d that cannot be read", report.problems().size())));
    row("top-1", percent(evaluation.top1(), 2));
    row(
        "top-5",
        percent(evaluation.top5(), 2)
            + (report.labels().size() > 5
                ? ""
                : ", as always with %d labels".formatted(report.labels().size())));
    row("loss", String.format(Locale.ROOT, "%.4f", evaluation.loss()));
    row(
        "calibration",
        "%s expected error (mean probability %s), %s at most"
            .formatted(
                percent(evaluation.calibration().expectedError(), 2),
                percent(evaluation.calibration().confidence(), 2),
                percent(evaluation.calibration().maximumError(), 2)));
  }

  private void row(String name, String value) {
    out.append(name).repeat(' ', 13 - name.length()).append(Terminal.printable(value)).append('\n');
  }

  private void classes() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("CLASS", "PRECISION", "RECALL", "F1", "IMAGES", "ANSWERED"));
    long answered = 0;
    for (ClassScores one : report.classes()) {
      rows.add(
          List.of(
              label(one.index()),
              one.predicted() == 0 ? "-" : percent(one.precision(), 1),
              one.support() == 0 ? "-" : percent(one.recall(), 1),
              one.support() == 0 ? "-" : percent(one.f1(), 1),
              count(one.support()),
              count(one.predicted())));
      answered += one.predicted();
    }
    rows.add(means("mean over classes", ClassScores::macro, answered));
    rows.add(means("mean over images", ClassScores::weighted, answered));
    table(rows, 1);
  }

  private interface Mean {
    double of(List<ClassScores> classes, ToDoubleFunction<ClassScores> score);
  }

  private List<String> means(String name, Mean mean, long answered) {
    List<ClassScores> tested = report.tested();
    return List.of(
        name,
        percent(mean.of(tested, ClassScores::precision), 1),
        percent(mean.of(tested, ClassScores::recall), 1),
        percent(mean.of(tested, ClassScores::f1), 1),
        count(report.evaluation().count()),
        count(answered));
  }

  private void confusion() {
    ConfusionMatrix matrix = report.evaluation().confusion();
    List<ClassScores> classes = report.classes();
    if (classes.size() <= MOST_COLUMNS) {
      // Short labels head their columns themselves; long ones are numbered.
      boolean numbered = classes.stream().anyMatch(one -> length(label(one.index())) > SHORT);
      List<List<String>> rows = new ArrayList<>();
      List<String> header = new ArrayList<>(List.of("RIGHT / ANSWERED"));
      for (int i = 0; i < classes.size(); i++) {
        header.add(numbered ? Integer.toString(i + 1) : label(classes.get(i).index()));
      }
      rows.add(header);
      for (int i = 0; i < classes.size(); i++) {
        String label = label(classes.get(i).index());
        List<String> row = new ArrayList<>(List.of(numbered ? (i + 1) + " " + label : label));
        for (ClassScores predicted : classes) {
          long count = matrix.count(classes.get(i).index(), predicted.index());
          row.add(count == 0 ? "." : count(count));
        }
        rows.add(row);
      }
      table(rows, 1);
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("RIGHT", "ANSWERED", "IMAGES"));
    for (ConfusionMatrix.Cell cell : matrix.mistakes(COMMONEST)) {
      rows.add(List.of(label(cell.truth()), label(cell.predicted()), count(cell.count())));
    }
    table(rows, 2);
  }

  private void mistakes() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("SURE OF", "ANSWERED", "RIGHT", "SCORE OF RIGHT", "FILE"));
    for (Mistake mistake : report.mistakes()) {
      rows.add(
          List.of(
              percent(mistake.confidence(), 1),
              label(mistake.predicted()),
              label(mistake.truth()),
              percent(mistake.truthScore(), 1),
              Terminal.printable(mistake.id())));
    }
    if (rows.size() > 1) {
      table(rows, rows.getFirst().size());
    }
  }

  /** Rows in columns; from column {@code numbers} on they are set to the right. */
  private void table(List<List<String>> rows, int numbers) {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], length(row.get(i)));
      }
    }
    out.append('\n');
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        int space = widths[i] - length(cell);
        out.append(i == 0 ? "" : "  ");
        if (i >= numbers) {
          out.repeat(' ', space).append(cell);
        } else if (i < widths.length - 1) {
          out.append(cell).repeat(' ', space);
        } else {
          out.append(cell);
        }
      }
      out.append('\n');
    }
  }

  private String label(int index) {
    String label = Terminal.printable(report.labels().get(index));
    return length(label) <= LABEL_WIDTH
        ? label
        : label.substring(0, label.offsetByCodePoints(0, LABEL_WIDTH - 1)) + "…";
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  private static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  private static String percent(double share, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f%%", 100 * share);
  }
}
