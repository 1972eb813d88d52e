package dev.tessera.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.metrics.Evaluation.Answer;
import dev.tessera.metrics.Mistakes.Mistake;
import org.junit.jupiter.api.Test;

class MistakesTest {
  @Test
  void theSurestAreKeptInOrder() {
    Mistakes mistakes = new Mistakes(3);
    mistakes.add(0, "a", 1, new Answer(2, 0.5, 0.1));
    mistakes.add(1, "b", 2, new Answer(2, 0.99, 0.99));
    mistakes.add(2, "c", 1, new Answer(0, 0.9, 0.05));
    mistakes.add(3, "d", 1, new Answer(0, 0.4, 0.3));
    mistakes.add(4, "e", 1, new Answer(0, 0.5, 0.3));
    mistakes.add(5, "f", 1, new Answer(0, 0.5, 0.3));
    assertThat(mistakes.list())
        .containsExactly(
            new Mistake(2, "c", 1, 0, 0.9, 0.05),
            new Mistake(0, "a", 1, 2, 0.5, 0.1),
            new Mistake(4, "e", 1, 0, 0.5, 0.3));
  }

  @Test
  void noneMayBeAskedFor() {
    Mistakes mistakes = new Mistakes(0);
    mistakes.add(0, "a", 1, new Answer(2, 0.5, 0.1));
    assertThat(mistakes.list()).isEmpty();
  }
}
