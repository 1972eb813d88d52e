package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.tessera.model.Prediction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResultFormatTest {
  private static final List<Prediction> PREDICTIONS =
      List.of(new Prediction(1, "tabby, \"tiger\" cat", 0.75f), new Prediction(0, "é\n√", 1e-7f));
  private static final String FILE = "dir/we \"ird\",\u0001\n€.jpg";

  @Test
  void jsonParsesBack() throws IOException {
    StringBuilder out = new StringBuilder();
    new JsonLinesFormat().append(out, FILE, PREDICTIONS);
    assertThat(out.toString()).endsWith("}\n").startsWith("{\"file\": ");
    assertThat(out.toString().trim()).doesNotContain("\n");
    List<Object> values = new ArrayList<>();
    try (JsonParser parser = new JsonFactory().createParser(out.toString())) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING) {
          values.add(parser.getText());
        } else if (token.isNumeric()) {
          values.add(parser.getFloatValue());
        }
      }
    }
    assertThat(values)
        .containsExactly(
            "file",
            FILE,
            "predictions",
            "label",
            "tabby, \"tiger\" cat",
            "score",
            0.75f,
            "label",
            "é\n√",
            "score",
            1e-7f);
  }

  @Test
  void oneJsonLineIsExactlyThis() {
    StringBuilder out = new StringBuilder();
    new JsonLinesFormat().append(out, "a.jpg", List.of(new Prediction(0, "cat", 0.5f)));
    assertThat(out.toString())
        .isEqualTo(
            "{\"file\": \"a.jpg\", \"predictions\": [{\"label\": \"cat\", \"score\": 0.5}]}\n");
  }

  @Test
  void csvParsesBackAndEveryRowHasAllColumns() {
    CsvFormat format = new CsvFormat(3);
    StringBuilder out = new StringBuilder(format.header());
    format.append(out, FILE, PREDICTIONS);
    format.append(out, "plain.jpg", List.of());
    assertThat(csv(out.toString()))
        .containsExactly(
            List.of("file", "label", "score", "label2", "score2", "label3", "score3"),
            List.of(FILE, "tabby, \"tiger\" cat", "0.75", "é\n√", "1.0E-7", "", ""),
            List.of("plain.jpg", "", "", "", "", "", ""));
  }

  @Test
  void theTableIsAlignedAndObeysNoControlCharacters() {
    TableFormat format = new TableFormat(List.of("cat", "a longer label"));
    StringBuilder out = new StringBuilder(format.header());
    format.append(
        out,
        "x\033[2J.jpg",
        List.of(new Prediction(0, "cat", 0.999f), new Prediction(1, "a longer label", 0.001f)));
    format.append(out, "y.jpg", List.of());
    assertThat(out.toString())
        .isEqualTo(
            """
             SCORE  LABEL           FILE
             99.9%  cat             x?[2J.jpg
              0.1%  a longer label
                 -  -               y.jpg
            """);
  }

  /** RFC 4180, strictly. */
  private static List<List<String>> csv(String text) {
    List<List<String>> rows = new ArrayList<>();
    List<String> row = new ArrayList<>();
    StringBuilder cell = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted) {
        if (c != '"') {
          cell.append(c);
        } else if (i + 1 < text.length() && text.charAt(i + 1) == '"') {
          cell.append('"');
          i++;
        } else {
          quoted = false;
        }
      } else if (c == '"') {
        assertThat(cell).isEmpty();
        quoted = true;
      } else if (c == ',') {
        row.add(cell.toString());
        cell.setLength(0);
      } else if (c == '\r') {
        assertThat(text.charAt(++i)).isEqualTo('\n');
        row.add(cell.toString());
        cell.setLength(0);
        rows.add(row);
        row = new ArrayList<>();
      } else {
        cell.append(c);
      }
    }
    assertThat(row).isEmpty();
    return rows;
  }
}
