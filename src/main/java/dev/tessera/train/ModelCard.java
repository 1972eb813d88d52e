package dev.tessera.train;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The README.md of a checkpoint: what it is, what it was trained on, how, and how well it does.
 *
 * @param title its heading
 * @param model what the model is, a sentence each
 * @param data facts about the images
 * @param settings of the training
 * @param command that made it
 * @param machine what it was trained on
 */
public record ModelCard(
    String title,
    List<String> model,
    SequencedMap<String, String> data,
    SequencedMap<String, String> settings,
    String command,
    String machine) {
  /** The text, with the results so far. */
  public String text(List<Metrics> metrics) {
    StringBuilder text = new StringBuilder();
    text.append("---\nlibrary_name: transformers\npipeline_tag: image-classification\n");
    text.append("tags:\n- image-classification\n- vision\n- tessera\n---\n\n");
    text.append("# ").append(title).append("\n\n");
    model.forEach(sentence -> text.append(sentence).append('\n'));
    text.append("\n## Data\n\n");
    table(text, data);
    text.append("\n## Results\n\n");
    results(text, metrics);
    text.append("\n## Training\n\n");
    table(text, settings);
    text.append("\nMade with\n\n    ")
        .append(command)
        .append("\n\non ")
        .append(machine)
        .append(".\n");
    return text.toString();
  }

  private static void table(StringBuilder text, Map<String, String> facts) {
    text.append("| | |\n|-|-|\n");
    facts.forEach((name, value) ->
        text.append("| ").append(cell(name)).append(" | ").append(cell(value)).append(" |\n"));
  }

  private static String cell(String value) {
    return value.replace("|", "\\|").replace("\n", " ");
  }

  private static void results(StringBuilder text, List<Metrics> metrics) {
    if (metrics.isEmpty()) {
      text.append("No epoch is done yet.\n");
      return;
    }
    Metrics last = metrics.getLast();
    text.append("Trained for ")
        .append(last.epoch() == 1 ? "one epoch" : last.epoch() + " epochs")
        .append(" (")
        .append(String.format(Locale.ROOT, "%,d", last.step()))
        .append(" updates) in ")
        .append(time(last.seconds()))
        .append(".\n\n| epoch | training loss | training accuracy | validation loss |")
        .append(" validation accuracy |\n|-:|-:|-:|-:|-:|\n");
    Metrics best = Metrics.best(metrics);
    if (best != null) {
      row(text, best, " (best)");
    }
    if (best == null || best.epoch() != last.epoch()) {
      row(text, last, "");
    }
    text.append("\nTraining figures are taken while the model learns, with augmentation.\n");
  }

  private static void row(StringBuilder text, Metrics row, String note) {
    text.append(
        String.format(
            Locale.ROOT,
            "| %d%s | %.4f | %.2f %% | %s | %s |%n",
            row.epoch(),
            note,
            row.trainLoss(),
            100 * row.trainAccuracy(),
            Double.isFinite(row.validationLoss())
                ? String.format(Locale.ROOT, "%.4f", row.validationLoss())
                : "",
            Double.isFinite(row.validationAccuracy())
                ? String.format(Locale.ROOT, "%.2f %%", 100 * row.validationAccuracy())
                : ""));
  }

  /** Seconds as people say them. */
  static String time(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? String.format(Locale.ROOT, "%d min %d s", whole / 60, whole % 60)
            : String.format(Locale.ROOT, "%d h %d min", whole / 3600, whole / 60 % 60);
  }
}
