package dev.tessera.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RankingTest {
  @Test
  void scoresAreASoftmaxThatDoesNotOverflow() {
    Ranking ranking = new Ranking(List.of("a", "b", "c"), false, 3, 0);
    List<Prediction> predictions = ranking.rank(new float[] {1000, 1002, 1001});
    assertThat(predictions).extracting(Prediction::label).containsExactly("b", "c", "a");
    // softmax(0, 2, 1)
    assertThat(predictions.get(0).score()).isCloseTo(0.665241f, within(1e-6f));
    assertThat(predictions.get(1).score()).isCloseTo(0.2447285f, within(1e-6f));
    assertThat(predictions.get(2).score()).isCloseTo(0.0900306f, within(1e-6f));
  }

  @Test
  void independentLabelsAreSigmoids() {
    Ranking ranking = new Ranking(List.of("a", "b"), true, 2, 0.5f);
    List<Prediction> predictions = ranking.rank(new float[] {0.1f, -0.1f});
    assertThat(predictions).singleElement().extracting(Prediction::label).isEqualTo("a");
    assertThat(predictions.getFirst().score()).isCloseTo(0.524979f, within(1e-6f));
  }

  @Test
  void notANumberIsNoPrediction() {
    Ranking ranking = new Ranking(List.of("a", "b"), false, 2, 0);
    assertThat(ranking.rank(new float[] {Float.NaN, Float.NaN})).isEmpty();
  }

  @Property(tries = 300)
  void theBestOnesComeFirst(
      @ForAll @Size(min = 1, max = 40) List<@FloatRange(min = -5, max = 5) Float> values,
      @ForAll @IntRange(min = 1, max = 50) int count) {
    float[] logits = new float[values.size()];
    List<String> labels = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      logits[i] = values.get(i);
      labels.add("l" + i);
      order.add(i);
    }
    order.sort(Comparator.comparingDouble((Integer i) -> -logits[i]));
    assertThat(new Ranking(labels, false, count, 0).rank(logits))
        .extracting(Prediction::index)
        .containsExactlyElementsOf(order.subList(0, Math.min(count, order.size())));
  }
}
