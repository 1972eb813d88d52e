package dev.tessera.metrics;

/**
 * All that one pass over labelled images tells of a classifier, in memory that does not grow with
 * their number. Scores are a softmax over all classes; of equal scores the lower index counts as
 * better, as where labels are ranked.
 */
public final class Evaluation {
  /**
   * One answer.
   *
   * @param predicted index of the best class
   * @param confidence its probability, 0 to 1
   * @param truthScore probability of the right class, 0 to 1
   */
  public record Answer(int predicted, double confidence, double truthScore) {}

  private static final int TOP = 5;

  private final int classes;
  private final ConfusionMatrix confusion;
  private final Calibration calibration = new Calibration();
  private long best;
  private long amongTop;
  private double loss;

  public Evaluation(int classes) {
    this.classes = classes;
    this.confusion = new ConfusionMatrix(classes);
  }

  /**
   * Counts the answer to one image.
   *
   * @param truth index of the right class
   * @param logits one for each class
   * @throws IllegalArgumentException if the number of logits is another one, or one is NaN or
   *     infinite
   */
  public Answer add(int truth, float[] logits) {
    if (logits.length != classes) {
      throw new IllegalArgumentException(logits.length + " logits for " + classes + " classes");
    }
    int predicted = 0;
    int better = 0;
    for (int i = 0; i < classes; i++) {
      if (!Float.isFinite(logits[i])) {
        throw new IllegalArgumentException("the logit of class " + i + " is " + logits[i]);
      }
      predicted = logits[i] > logits[predicted] ? i : predicted;
      if (logits[i] > logits[truth] || (logits[i] == logits[truth] && i < truth)) {
        better++;
      }
    }
    double max = logits[predicted];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double negativeLog = Math.log(sum) + max - logits[truth];
    Answer answer = new Answer(predicted, 1 / sum, Math.exp(-negativeLog));
    confusion.add(truth, predicted);
    calibration.add(answer.confidence(), predicted == truth);
    best += better == 0 ? 1 : 0;
    amongTop += better < TOP ? 1 : 0;
    loss += negativeLog;
    return answer;
  }

  /** Images counted. */
  public long count() {
    return confusion.total();
  }

  /** How many images' best class is the right one, 0 to 1; 0 of none. */
  public double top1() {
    return ratio(best);
  }

  /** How many images have the right class among their best five, 0 to 1; 0 of none. */
  public double top5() {
    return ratio(amongTop);
  }

  /** Mean cross-entropy in nats; 0 of none. */
  public double loss() {
    return count() == 0 ? 0 : loss / count();
  }

  private double ratio(long part) {
    return count() == 0 ? 0 : (double) part / count();
  }

  public ConfusionMatrix confusion() {
    return confusion;
  }

  public Calibration calibration() {
    return calibration;
  }
}
