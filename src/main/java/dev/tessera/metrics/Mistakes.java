package dev.tessera.metrics;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** The wrong answers that a classifier was surest of: mislabelled images are often among them. */
public final class Mistakes {
  /**
   * One wrong answer.
   *
   * @param image number of the image in its data set, from 0
   * @param id name of the image
   * @param truth index of the right class
   * @param predicted index of the class that was answered
   * @param confidence its probability, 0 to 1
   * @param truthScore probability of the right class, 0 to 1
   */
  public record Mistake(
      int image, String id, int truth, int predicted, double confidence, double truthScore) {}

  /** From the surest to the least sure; of equal ones the first image comes first. */
  private static final Comparator<Mistake> ORDER =
      Comparator.comparingDouble(Mistake::confidence).reversed().thenComparingInt(Mistake::image);

  private final int most;
  private final PriorityQueue<Mistake> kept;

  /** Keeps the {@code most} surest mistakes. */
  public Mistakes(int most) {
    this.most = most;
    this.kept = new PriorityQueue<>(Math.max(1, Math.min(most, 1024)), ORDER.reversed());
  }

  /** Considers an answer; right ones are left out. */
  public void add(int image, String id, int truth, Evaluation.Answer answer) {
    if (truth == answer.predicted() || most == 0) {
      return;
    }
    kept.add(
        new Mistake(
            image, id, truth, answer.predicted(), answer.confidence(), answer.truthScore()));
    if (kept.size() > most) {
      kept.remove();
    }
  }

  /** What was kept, the surest first. */
  public List<Mistake> list() {
    return kept.stream().sorted(ORDER).toList();
  }
}
