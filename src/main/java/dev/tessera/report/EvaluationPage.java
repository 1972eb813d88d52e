package dev.tessera.report;

import dev.tessera.image.RgbImage;
import dev.tessera.metrics.ClassScores;
import dev.tessera.metrics.ConfusionMatrix;
import dev.tessera.metrics.Evaluation;
import dev.tessera.metrics.Mistakes.Mistake;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An {@link EvaluationReport} as a page. */
public final class EvaluationPage {
  private static final int THUMBNAIL = 160;
  private static final int MISTAKES_BETWEEN_CLASSES = 15;
  private static final int PROBLEMS = 100;

  private EvaluationPage() {}

  /**
   * The page.
   *
   * @param pictures the image of a mistake, or null where it can no longer be read
   * @throws PlotException where plots cannot be drawn
   */
  public static String html(
      EvaluationReport report, Function<Mistake, @Nullable RgbImage> pictures) {
    Evaluation evaluation = report.evaluation();
    HtmlPage page = new HtmlPage("%s on %s".formatted(name(report.model()), name(report.data())));
    page.facts(facts(report));
    page.heading("Where it goes wrong");
    page.figure(
        "Confusion matrix as a heat map",
        Picture.ofPlot(ConfusionPlot.png(evaluation.confusion(), report.labels(), Theme.LIGHT)),
        Picture.ofPlot(ConfusionPlot.png(evaluation.confusion(), report.labels(), Theme.DARK)));
    commonest(page, report);
    page.heading("Each class");
    page.table(
        List.of("class", "precision", "recall", "F1", "images", "answered"), classes(report));
    page.heading("How sure, and how right");
    page.figure(
        "Reliability diagram",
        Picture.ofPlot(ReliabilityDiagram.png(evaluation.calibration(), Theme.LIGHT)),
        Picture.ofPlot(ReliabilityDiagram.png(evaluation.calibration(), Theme.DARK)));
    page.paragraph(calibration(evaluation));
    mistakes(page, report, pictures);
    problems(page, report);
    page.heading("How it was measured");
    page.table(
        List.of("", ""),
        List.of(
            List.of("model", report.model()),
            List.of("data", "%s (%s), %s".formatted(report.data(), report.layout(), report.part())),
            List.of("preprocessing", report.preprocessing()),
            List.of("engine", report.engine())));
    return page.html();
  }

  private static String name(String path) {
    Path name = Path.of(path).getFileName();
    return name == null ? path : name.toString();
  }

  private static Map<String, String> facts(EvaluationReport report) {
    Evaluation evaluation = report.evaluation();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("images (" + report.part() + ")", count(evaluation.count()));
    facts.put("top-1", percent(evaluation.top1(), 2));
    if (report.labels().size() > 5) {
      facts.put("top-5", percent(evaluation.top5(), 2));
    }
    facts.put("mean F1", percent(ClassScores.macro(report.tested(), ClassScores::f1), 2));
    facts.put("loss", String.format(Locale.ROOT, "%.4f", evaluation.loss()));
    facts.put("calibration error", percent(evaluation.calibration().expectedError(), 2));
    if (!report.problems().isEmpty()) {
      facts.put("not readable", count(report.problems().size()));
    }
    return facts;
  }

  private static void commonest(HtmlPage page, EvaluationReport report) {
    List<List<String>> rows = new ArrayList<>();
    ConfusionMatrix confusion = report.evaluation().confusion();
    for (ConfusionMatrix.Cell cell : confusion.mistakes(MISTAKES_BETWEEN_CLASSES)) {
      rows.add(
          List.of(
              report.labels().get(cell.truth()),
              report.labels().get(cell.predicted()),
              count(cell.count()),
              percent((double) cell.count() / confusion.scores(cell.truth()).support(), 1)));
    }
    if (!rows.isEmpty()) {
      page.table(List.of("right", "answered", "images", "of the class"), rows);
    }
  }

  private static List<List<String>> classes(EvaluationReport report) {
    List<List<String>> rows = new ArrayList<>();
    for (ClassScores one : report.classes()) {
      rows.add(
          List.of(
              report.labels().get(one.index()),
              one.predicted() == 0 ? "–" : percent(one.precision(), 1),
              one.support() == 0 ? "–" : percent(one.recall(), 1),
              one.support() == 0 ? "–" : percent(one.f1(), 1),
              count(one.support()),
              count(one.predicted())));
    }
    return rows;
  }

  private static String calibration(Evaluation evaluation) {
    double confidence = evaluation.calibration().confidence();
    return String.format(
        Locale.ROOT,
        "On average the model gives its answer a probability of %.1f %% and is right in %.1f %%: %s."
            + " Expected calibration error %.2f %%, maximum %.1f %%, in 15 bins of equal width.",
        100 * confidence,
        100 * evaluation.top1(),
        confidence > evaluation.top1()
            ? "it is too sure of itself"
            : "it is not too sure of itself",
        100 * evaluation.calibration().expectedError(),
        100 * evaluation.calibration().maximumError());
  }

  private static void mistakes(
      HtmlPage page, EvaluationReport report, Function<Mistake, @Nullable RgbImage> pictures) {
    List<HtmlPage.Tile> tiles = new ArrayList<>();
    for (Mistake mistake : report.mistakes()) {
      RgbImage image = pictures.apply(mistake);
      if (image != null) {
        tiles.add(
            new HtmlPage.Tile(
                Thumbnails.of(image, THUMBNAIL),
                "%s, not %s"
                    .formatted(
                        report.labels().get(mistake.truth()),
                        report.labels().get(mistake.predicted())),
                "%s against %s, %s"
                    .formatted(
                        percent(mistake.confidence(), 1),
                        percent(mistake.truthScore(), 1),
                        mistake.id()),
                false));
      }
    }
    if (!tiles.isEmpty()) {
      page.heading("The surest mistakes");
      page.paragraph(
          "The right class, and what the model answered, with the probabilities of the answer and"
              + " of the right class. Images with a wrong label are often among these.");
      page.gallery(tiles);
    }
  }

  private static void problems(HtmlPage page, EvaluationReport report) {
    List<String> problems = report.problems();
    if (!problems.isEmpty()) {
      page.heading("Images that could not be read");
      List<List<String>> rows = new ArrayList<>();
      for (String problem : problems.subList(0, Math.min(PROBLEMS, problems.size()))) {
        rows.add(List.of(problem));
      }
      page.table(List.of("they count for nothing here"), rows);
      if (problems.size() > PROBLEMS) {
        page.paragraph("and " + count(problems.size() - PROBLEMS) + " more");
      }
    }
  }

  private static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** With a space that no line ends at. */
  private static String percent(double share, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f\u00a0%%", 100 * share);
  }
}
