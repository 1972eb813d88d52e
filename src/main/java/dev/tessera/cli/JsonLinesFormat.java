package dev.tessera.cli;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.tessera.model.Prediction;
import java.util.List;

/**
 * One JSON object a line: {@code {"file": ..., "predictions": [{"label": ..., "score": ...},
 * ...]}}.
 */
final class JsonLinesFormat implements ResultFormat {
  private static final JsonStringEncoder STRINGS = JsonStringEncoder.getInstance();

  @Override
  public String header() {
    return "";
  }

  @Override
  public void append(StringBuilder out, String file, List<Prediction> predictions) {
    out.append("{\"file\": \"");
    STRINGS.quoteAsString(file, out);
    out.append("\", \"predictions\": [");
    String separator = "";
    for (Prediction prediction : predictions) {
      out.append(separator).append("{\"label\": \"");
      STRINGS.quoteAsString(prediction.label(), out);
      out.append("\", \"score\": ").append(prediction.score()).append('}');
      separator = ", ";
    }
    out.append("]}\n");
  }
}
