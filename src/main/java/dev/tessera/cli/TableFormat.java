package dev.tessera.cli;

import dev.tessera.model.Prediction;
import java.util.List;
import java.util.Locale;

/**
 * For people: score, label and file in columns. Only the first row of an image names it, so that
 * several predictions stand together.
 */
final class TableFormat implements ResultFormat {
  private static final int MAX_WIDTH = 40;

  private final int width;

  /**
   * @param labels all that may be written: the column is as wide as the longest, within reason
   */
  TableFormat(List<String> labels) {
    int longest = "LABEL".length();
    for (String label : labels) {
      longest = Math.max(longest, label.codePointCount(0, label.length()));
    }
    this.width = Math.min(longest, MAX_WIDTH);
  }

  @Override
  public String header() {
    StringBuilder out = new StringBuilder(" SCORE  ");
    pad(out, "LABEL");
    return out.append("  FILE\n").toString();
  }

  @Override
  public void append(StringBuilder out, String file, List<Prediction> predictions) {
    if (predictions.isEmpty()) {
      row(out, "     -", "-", file);
    }
    String name = file;
    for (Prediction prediction : predictions) {
      row(
          out,
          String.format(Locale.ROOT, "%5.1f%%", 100 * prediction.score()),
          prediction.label(),
          name);
      name = "";
    }
  }

  private void row(StringBuilder out, String score, String label, String file) {
    out.append(score).append("  ");
    if (file.isEmpty()) {
      out.append(Terminal.printable(label));
    } else {
      pad(out, Terminal.printable(label));
      out.append("  ").append(Terminal.printable(file));
    }
    out.append('\n');
  }

  private void pad(StringBuilder out, String label) {
    int length = label.codePointCount(0, label.length());
    if (length > width) {
      out.append(label, 0, label.offsetByCodePoints(0, width - 1)).append('…');
    } else {
      out.append(label).repeat(' ', width - length);
    }
  }
}
