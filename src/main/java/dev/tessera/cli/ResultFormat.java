package dev.tessera.cli;

import dev.tessera.model.Prediction;
import java.util.List;

/** How classifications are written, one image after the other. */
interface ResultFormat {
  /**
   * The format asked for.
   *
   * @param labels that may be predicted
   * @param most predictions of an image
   */
  static ResultFormat of(OutputOptions.Format format, List<String> labels, int most) {
    return switch (format) {
      case TABLE -> new TableFormat(labels);
      case CSV -> new CsvFormat(most);
      case JSONL -> new JsonLinesFormat();
    };
  }

  /** What comes before the first image; may be empty. */
  String header();

  /**
   * One image.
   *
   * @param file as the person gave it
   * @param predictions best first; may be empty
   */
  void append(StringBuilder out, String file, List<Prediction> predictions);
}
