package dev.tessera.cli;

import dev.tessera.data.CsvCell;
import dev.tessera.model.Prediction;
import java.util.List;

/**
 * RFC 4180: a header and one row an image: {@code file,label,score,label2,score2,...}. Predictions
 * below the threshold leave their cells empty.
 */
final class CsvFormat implements ResultFormat {
  private final int count;

  /**
   * @param count predictions an image
   */
  CsvFormat(int count) {
    this.count = count;
  }

  @Override
  public String header() {
    StringBuilder out = new StringBuilder("file,label,score");
    for (int i = 2; i <= count; i++) {
      out.append(",label").append(i).append(",score").append(i);
    }
    return out.append("\r\n").toString();
  }

  @Override
  public void append(StringBuilder out, String file, List<Prediction> predictions) {
    CsvCell.append(out, file);
    for (int i = 0; i < count; i++) {
      out.append(',');
      if (i < predictions.size()) {
        CsvCell.append(out, predictions.get(i).label());
        out.append(',').append(predictions.get(i).score());
      } else {
        out.append(',');
      }
    }
    out.append("\r\n");
  }
}
