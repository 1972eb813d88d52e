package dev.tessera.search;

import dev.tessera.model.Prediction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Classifies by the labels of the nearest pictures of an index: each votes with exp(cosine /
 * temperature), and a label's score is its share of all votes (Wu et al., arXiv:1805.01978, section
 * 3.4, as DINO's evaluation uses it). Nothing is trained.
 */
public final class NeighborVote {
  /** What DINO takes. */
  public static final double TEMPERATURE = 0.07;

  private final List<String> labels;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final double temperature;

  /** For the labels in {@code index}, which are the names of the folders in its root. */
  public NeighborVote(Index index, double temperature) throws IndexException {
    TreeSet<String> found = new TreeSet<>();
    for (int row = 0; row < index.rowCount(); row++) {
      if (!index.isRemoved(row)) {
        found.add(index.entry(row).label());
      }
    }
    found.remove("");
    this.labels = List.copyOf(found);
    for (int i = 0; i < labels.size(); i++) {
      numbers.put(labels.get(i), i);
    }
    this.temperature = temperature;
  }

  /** In their order. */
  public List<String> labels() {
    return labels;
  }

  /** Labels by the votes of {@code hits}, best first; only those that got any. */
  public List<Prediction> of(List<Index.Hit> hits) {
    double[] votes = new double[labels.size()];
    double all = 0;
    for (Index.Hit hit : hits) {
      Integer number = numbers.get(hit.entry().label());
      if (number != null) {
        // Relative to the best, so that nothing overflows.
        double vote = Math.exp((hit.score() - hits.getFirst().score()) / temperature);
        votes[number] += vote;
        all += vote;
      }
    }
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < votes.length; i++) {
      if (votes[i] > 0) {
        predictions.add(new Prediction(i, labels.get(i), (float) (votes[i] / all)));
      }
    }
    predictions.sort(Comparator.comparingDouble(prediction -> -prediction.score()));
    return predictions;
  }
}
