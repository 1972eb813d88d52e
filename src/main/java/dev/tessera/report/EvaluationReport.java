package dev.tessera.report;

import dev.tessera.metrics.ClassScores;
import dev.tessera.metrics.Evaluation;
import dev.tessera.metrics.Mistakes.Mistake;
import java.util.List;

/**
 * One model over one data set.
 *
 * @param model where it came from
 * @param data where it came from
 * @param layout how the data is laid out
 * @param part which images of the data set, such as {@code test}
 * @param labels of the model, one for each class of {@code evaluation}
 * @param mistakes the surest ones, the surest first
 * @param problems one sentence for each image that could not be read
 * @param preprocessing from picture to input
 * @param engine that computed
 */
public record EvaluationReport(
    String model,
    String data,
    String layout,
    String part,
    List<String> labels,
    Evaluation evaluation,
    List<Mistake> mistakes,
    List<String> problems,
    String preprocessing,
    String engine) {

  /** Classes that occur, as truth or as answer. */
  public List<ClassScores> classes() {
    return evaluation.confusion().present();
  }

  /** Classes that the data set holds images of: means over classes are over these. */
  public List<ClassScores> tested() {
    return classes().stream().filter(one -> one.support() > 0).toList();
  }
}
