package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.train.Recipe.Start;
import dev.tessera.train.Schedule.OneCycle.Anneal;
import dev.tessera.train.ScheduleChoice.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a training does where nobody said, and how it keeps to its time. */
class RecipeTest {
  @Test
  void manySmallImagesFromScratch() {
    Recipe recipe = Recipe.of(Start.SCRATCH, 54_000, 28, 128, 6);
    assertThat(recipe.epochs()).isEqualTo(37);
    assertThat(recipe.batchSize()).isEqualTo(128);
    assertThat(recipe.learningRate()).isEqualTo(1e-3);
    assertThat(recipe.layerDecay()).isEqualTo(1);
    assertThat(recipe.mixup()).isZero();
    assertThat(recipe.stochasticDepth()).isEqualTo(0.1);
    assertThat(recipe.ema()).isCloseTo(0.994, within(0.001));
  }

  @Test
  void fewImagesFromScratchAreSeenOftenAndMixed() {
    Recipe recipe = Recipe.of(Start.SCRATCH, 1_600, 32, 64, 4);
    assertThat(recipe.epochs()).isEqualTo(300);
    assertThat(recipe.batchSize()).isEqualTo(32);
    assertThat(recipe.learningRate()).isEqualTo(5e-4);
    assertThat(recipe.cutmix()).isEqualTo(1);
    assertThat(recipe.stochasticDepth()).isZero();
  }

  @Test
  void aTrainedModelLearnsSlowlyBelowItsHead() {
    Recipe recipe = Recipe.of(Start.TRAINED, 6_000, 224, 768, 12);
    assertThat(recipe.epochs()).isEqualTo(30);
    assertThat(recipe.batchSize()).isEqualTo(32);
    assertThat(recipe.layerDecay()).isEqualTo(0.75);
    assertThat(recipe.learningRate()).isEqualTo(1.3e-4);
    Recipe head = Recipe.of(Start.HEAD, 6_000, 224, 768, 12);
    assertThat(head.learningRate()).isGreaterThan(10 * recipe.learningRate());
    assertThat(head.ema()).isZero();
    assertThat(head.labelSmoothing()).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 100, 1_000_000, 100_000_000})
  void everyNumberOfImagesHasARecipe(int images) {
    for (Start start : Start.values()) {
      Recipe recipe = Recipe.of(start, images, 224, 192, 12);
      assertThat(recipe.epochs()).isBetween(3, 300);
      assertThat(recipe.batchSize()).isBetween(8, 32);
      assertThat(recipe.learningRate()).isBetween(1e-5, 1e-2);
      assertThat(recipe.ema()).isBetween(0.0, 0.999999);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void everyScheduleRisesToItsPeak(Kind kind) {
    Schedule schedule = new ScheduleChoice(kind, 0.01, 0, 0.1).of(1000);
    double highest = 0;
    for (int step = 0; step < 1000; step++) {
      highest = Math.max(highest, schedule.learningRate(step));
    }
    assertThat(highest).isCloseTo(0.01, within(1e-6));
    assertThat(schedule.learningRate(50)).isLessThan(0.007);
    assertThat(schedule.learningRate(99)).isGreaterThan(0.009);
  }

  @Test
  void oneCycleRisesForTheWarmUp() {
    assertThat(new ScheduleChoice(Kind.ONE_CYCLE, 0.01, 0, 0.2).of(50))
        .isEqualTo(new Schedule.OneCycle(0.01, 50, 0.2, 25, 1e4, Anneal.COSINE, false));
    assertThatThrownBy(() -> new ScheduleChoice(Kind.COSINE, 0.01, 0, 1))
        .hasMessageContaining("warm-up");
  }

  /** Updates become slower half-way; the schedule still ends with the time. */
  @ParameterizedTest
  @ValueSource(doubles = {40, 100, 1000})
  void aPaceEndsWithTheTime(double limit) {
    double steps = 20_000;
    Pace pace = new Pace(limit, true, steps);
    double at = 0;
    double seconds = 0;
    double stride = 1;
    while (at < steps - 0.5 && !pace.isOver(seconds)) {
      seconds += seconds < limit / 2 ? 0.01 : 0.02;
      at += stride;
      stride = pace.next(stride, steps - at, seconds);
    }
    assertThat(seconds).isBetween(0.97 * limit, 1.01 * limit);
    assertThat(at / steps).isBetween(0.97, 1.01);
  }

  @Test
  void timeThatSufficesChangesNothing() {
    Pace pace = new Pace(1000, false, 5000);
    double stride = 1;
    for (int update = 1; update <= 5000; update++) {
      stride = pace.next(stride, 5000 - update, 0.1 * update);
      assertThat(stride).isEqualTo(1);
    }
    assertThat(new Pace(0, false, 10).next(1, 5, 1e9)).isEqualTo(1);
    assertThat(new Pace(0, false, 10).isOver(1e9)).isFalse();
  }
}
