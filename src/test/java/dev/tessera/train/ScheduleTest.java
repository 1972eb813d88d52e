package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Json;
import dev.tessera.train.Schedule.OneCycle.Anneal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Learning rates against {@code transformers} and torch. */
class ScheduleTest {
  private static final Path FIXTURES = Path.of("test/resources/train");

  @Test
  void cosine() throws Exception {
    Map<String, ?> golden = golden("schedules.json", "warmup_cosine");
    check(new Schedule.Cosine(number(golden, "base_lr"), 0, warmup(golden), total(golden)), golden);
  }

  @Test
  void cosineWithMinimum() throws Exception {
    Map<String, ?> golden = golden("schedules.json", "warmup_cosine_min");
    check(
        new Schedule.Cosine(
            number(golden, "base_lr"), number(golden, "min_lr"), warmup(golden), total(golden)),
        golden);
  }

  @Test
  void linear() throws Exception {
    Map<String, ?> golden = golden("schedules.json", "warmup_linear");
    check(new Schedule.Linear(number(golden, "base_lr"), warmup(golden), total(golden)), golden);
  }

  @Test
  void inverseSquareRoot() throws Exception {
    Map<String, ?> golden = golden("schedules.json", "noam");
    int hidden = (int) number(golden, "d_model");
    Schedule schedule = Schedule.InverseSquareRoot.ofWidth(hidden, warmup(golden));
    List<?> steps = (List<?>) golden.get("steps");
    List<?> rates = (List<?>) golden.get("lr");
    for (int i = 0; i < steps.size(); i++) {
      double step = ((Number) steps.get(i)).doubleValue();
      close(schedule.learningRate(step - 1), ((Number) rates.get(i)).doubleValue(), i);
    }
    assertThat(Schedule.InverseSquareRoot.ofPeak(3e-4, 100).learningRate(99))
        .isCloseTo(3e-4, within(1e-18));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cosine", "linear", "three_phases", "linear_three_phases"})
  void oneCycle(String name) throws Exception {
    Map<String, ?> golden = golden("one_cycle.json", name);
    Schedule.OneCycle defaults =
        Schedule.OneCycle.of(number(golden, "max_lr"), (int) number(golden, "total_steps"));
    Schedule schedule =
        new Schedule.OneCycle(
            defaults.peak(),
            defaults.total(),
            golden.containsKey("pct_start") ? number(golden, "pct_start") : defaults.rising(),
            golden.containsKey("div_factor")
                ? number(golden, "div_factor")
                : defaults.startDivisor(),
            golden.containsKey("final_div_factor")
                ? number(golden, "final_div_factor")
                : defaults.endDivisor(),
            "linear".equals(golden.get("anneal_strategy")) ? Anneal.LINEAR : defaults.anneal(),
            golden.containsKey("three_phase"));
    check(schedule, golden);
  }

  @Test
  void constantRisesAndStays() {
    Schedule schedule = new Schedule.Constant(0.4, 4);
    assertThat(schedule.learningRate(0)).isZero();
    assertThat(schedule.learningRate(1)).isEqualTo(0.1);
    assertThat(schedule.learningRate(4)).isEqualTo(0.4);
    assertThat(schedule.learningRate(1e9)).isEqualTo(0.4);
    assertThat(new Schedule.Constant(0.4, 0).learningRate(0)).isEqualTo(0.4);
  }

  @Test
  void staysAtTheEndAfterTheLastStep() {
    assertThat(new Schedule.Cosine(1, 0.1, 2, 10).learningRate(25)).isEqualTo(0.1);
    assertThat(new Schedule.Linear(1, 2, 10).learningRate(25)).isZero();
    assertThat(Schedule.OneCycle.of(1, 10).learningRate(25)).isCloseTo(4e-6, within(1e-18));
  }

  @Test
  void aSingleStepHasARate() {
    assertThat(new Schedule.Cosine(1, 0, 0, 1).learningRate(0)).isEqualTo(1);
    assertThat(new Schedule.Linear(1, 1, 1).learningRate(0)).isZero();
    assertThat(Schedule.OneCycle.of(1, 1).learningRate(0)).isBetween(0.0, 1.0);
  }

  @Test
  void nonsenseIsRefused() {
    assertThatThrownBy(() -> new Schedule.Constant(Double.NaN, 0))
        .hasMessageContaining("learning rate");
    assertThatThrownBy(() -> new Schedule.Linear(-1, 0, 5)).hasMessageContaining("learning rate");
    assertThatThrownBy(() -> new Schedule.Cosine(1, 2, 0, 5)).hasMessageContaining("lowest");
    assertThatThrownBy(() -> new Schedule.Cosine(1, 0, 6, 5)).hasMessageContaining("warm-up of 6");
    assertThatThrownBy(() -> Schedule.OneCycle.of(1, 0)).hasMessageContaining("training of 0");
  }

  private static void check(Schedule schedule, Map<String, ?> golden) {
    List<?> rates = (List<?>) golden.get("lr");
    assertThat(rates.size()).isGreaterThan(30);
    for (int i = 0; i < rates.size(); i++) {
      close(schedule.learningRate(i), ((Number) rates.get(i)).doubleValue(), i);
    }
  }

  private static void close(double actual, double expected, int step) {
    assertThat(actual)
        .as("step %d", step)
        .isCloseTo(expected, within(1e-9 * Math.abs(expected) + 1e-18));
  }

  private static Map<String, ?> golden(String file, String name) throws IOException {
    Map<String, ?> golden = Json.asObject(Json.readObject(FIXTURES.resolve(file)).get(name));
    assertThat(golden).as(name).isNotNull();
    return golden;
  }

  private static double number(Map<String, ?> golden, String key) {
    return ((Number) golden.get(key)).doubleValue();
  }

  private static int warmup(Map<String, ?> golden) {
    return (int) number(golden, "warmup_steps");
  }

  private static int total(Map<String, ?> golden) {
    return (int) number(golden, "total_steps");
  }
}
