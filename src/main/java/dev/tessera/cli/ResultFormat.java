package dev.tessera.cli;

import dev.tessera.model.Prediction;
import java.util.List;

/** How classifications are written, one image after the other. */
interface ResultFormat {
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
