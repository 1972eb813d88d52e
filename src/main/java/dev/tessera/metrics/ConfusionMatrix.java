package dev.tessera.metrics;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How often each class was taken for each other one. Only pairs that occur take memory, so that
 * twenty thousand classes cost no more than their images.
 */
public final class ConfusionMatrix {
  /**
   * One cell that is not zero.
   *
   * @param truth index of the right class
   * @param predicted index of the class that was answered
   */
  public record Cell(int truth, int predicted, long count) {}

  private final int classes;
  private final Map<Long, Long> counts = new HashMap<>();
  private final long[] support;
  private final long[] predictions;
  private final long[] correct;
  private long total;

  public ConfusionMatrix(int classes) {
    if (classes < 1) {
      throw new IllegalArgumentException(classes + " classes cannot be confused");
    }
    this.classes = classes;
    this.support = new long[classes];
    this.predictions = new long[classes];
    this.correct = new long[classes];
  }

  /** Counts one answer. */
  public void add(int truth, int predicted) {
    counts.merge(key(truth, predicted), 1L, Long::sum);
    support[truth]++;
    predictions[predicted]++;
    total++;
    if (truth == predicted) {
      correct[truth]++;
    }
  }

  private long key(int truth, int predicted) {
    if (truth < 0 || truth >= classes || predicted < 0 || predicted >= classes) {
      throw new IndexOutOfBoundsException(
          "class %d taken for %d of %d classes".formatted(truth, predicted, classes));
    }
    return (long) truth * classes + predicted;
  }

  public int classes() {
    return classes;
  }

  /** All answers. */
  public long total() {
    return total;
  }

  /** How often {@code truth} was taken for {@code predicted}. */
  public long count(int truth, int predicted) {
    return counts.getOrDefault(key(truth, predicted), 0L);
  }

  /** The scores of one class. */
  public ClassScores scores(int index) {
    return new ClassScores(index, correct[index], predictions[index], support[index]);
  }

  /** Classes that were the truth or an answer at least once, in the order of their indices. */
  public List<ClassScores> present() {
    List<ClassScores> present = new ArrayList<>();
    for (int i = 0; i < classes; i++) {
      if (support[i] > 0 || predictions[i] > 0) {
        present.add(scores(i));
      }
    }
    return present;
  }

  /** The {@code most} commonest mistakes, the commonest first; ties by class. */
  public List<Cell> mistakes(int most) {
    return counts.entrySet().stream()
        .map(entry ->
            new Cell(
                (int) (entry.getKey() / classes),
                (int) (entry.getKey() % classes),
                entry.getValue()))
        .filter(cell -> cell.truth() != cell.predicted())
        .sorted(
            Comparator.comparingLong(Cell::count)
                .reversed()
                .thenComparingInt(Cell::truth)
                .thenComparingInt(Cell::predicted))
        .limit(most)
        .toList();
  }
}
