package dev.tessera.model;

import java.util.ArrayList;
import java.util.List;

/**
 * From logits to the best labels.
 *
 * @param labels one for each logit
 * @param independent whether several labels may hold at once ({@code problem_type} {@code
 *     multi_label_classification}): each score is then a sigmoid, not a part of one softmax
 * @param count most predictions
 * @param threshold smallest score
 */
public record Ranking(List<String> labels, boolean independent, int count, float threshold) {
  public Ranking {
    if (count < 1) {
      throw new IllegalArgumentException("the best " + count + " labels are none");
    }
  }

  /** The best labels whose score reaches the threshold, best first; ties go to the lower index. */
  public List<Prediction> rank(float[] logits) {
    double[] scores = independent ? sigmoid(logits) : softmax(logits);
    int size = Math.min(count, scores.length);
    int[] best = new int[size];
    int filled = 0;
    for (int i = 0; i < scores.length; i++) {
      int at = filled;
      while (at > 0 && better(scores, logits, i, best[at - 1])) {
        at--;
      }
      if (at < size) {
        filled = Math.min(filled + 1, size);
        System.arraycopy(best, at, best, at + 1, filled - at - 1);
        best[at] = i;
      }
    }
    List<Prediction> predictions = new ArrayList<>(size);
    for (int index : best) {
      float score = (float) scores[index];
      if (score >= threshold) {
        predictions.add(new Prediction(index, labels.get(index), score));
      }
    }
    return predictions;
  }

  /** By logits, which stay apart where scores are rounded to the same number. */
  private static boolean better(double[] scores, float[] logits, int one, int other) {
    return !Double.isNaN(scores[one]) && logits[one] > logits[other];
  }

  private static double[] softmax(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double[] scores = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      scores[i] = Math.exp(logits[i] - max);
      sum += scores[i];
    }
    for (int i = 0; i < logits.length; i++) {
      scores[i] /= sum;
    }
    return scores;
  }

  private static double[] sigmoid(float[] logits) {
    double[] scores = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      scores[i] = 1 / (1 + Math.exp(-logits[i]));
    }
    return scores;
  }
}
