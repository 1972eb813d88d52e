package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

class DrawsTest {
  private static final int COUNT = 200_000;

  @Test
  void equalKeysGiveEqualNumbersAndOthersGiveOthers() {
    assertThat(Draws.of(1, 2, 3).bits()).isEqualTo(Draws.of(1, 2, 3).bits());
    Set<Long> seen = new HashSet<>();
    for (long seed = 0; seed < 20; seed++) {
      for (long epoch = 0; epoch < 20; epoch++) {
        for (long position = 0; position < 50; position++) {
          assertThat(seen.add(Draws.of(seed, epoch, position).bits())).isTrue();
        }
      }
    }
    assertThat(Draws.of(0, 1).bits()).isNotEqualTo(Draws.of(1, 0).bits());
    assertThat(Draws.of(0, 0).bits()).isNotEqualTo(Draws.of(0).bits());
  }

  @Test
  void theNumbersStayWhatTheyAreBecauseRunsResumeWithThem() {
    Draws draws = Draws.of(42, 7, -1);
    assertThat(Long.toHexString(draws.bits())).isEqualTo("c05b71266a6bcebb");
    assertThat(draws.uniform()).isEqualTo(0.04812081046778083);
    assertThat(draws.gaussian()).isEqualTo(0.9539965172417703);
    assertThat(draws.beta(0.2)).isEqualTo(0.8121808014784874);
  }

  @Test
  void distributionsHaveTheirMoments() {
    Draws draws = Draws.of(5);
    check(draws::uniform, 0.5, 1.0 / 12);
    check(draws::gaussian, 0, 1);
    // Beta(a, a) has the variance 1 / (4 (2a + 1)).
    check(() -> draws.beta(0.2), 0.5, 1 / 5.6);
    check(() -> draws.beta(1), 0.5, 1.0 / 12);
    check(() -> draws.beta(3), 0.5, 1.0 / 28);
    check(() -> draws.chance(0.3) ? 1 : 0, 0.3, 0.21);
    check(() -> draws.below(7), 3, 4);
    check(() -> draws.uniform(-2, 4), 1, 3);
  }

  /** The first number of consecutive keys is as random as a sequence. */
  @Test
  void neighbouringKeysAreUnrelated() {
    long[] position = new long[1];
    double[] last = new double[1];
    double[] product = new double[1];
    check(
        () -> {
          double value = Draws.of(3, 0, position[0]++).uniform();
          product[0] += (value - 0.5) * (last[0] - 0.5);
          last[0] = value;
          return value;
        },
        0.5,
        1.0 / 12);
    assertThat(product[0] / COUNT).isCloseTo(0, within(0.002));
  }

  @Test
  void tinyAlphasAndBadBoundsAreSafe() {
    Draws draws = Draws.of(9);
    for (int i = 0; i < 1000; i++) {
      assertThat(draws.beta(1e-4)).isBetween(0.0, 1.0);
    }
    assertThatThrownBy(() -> draws.below(0)).isInstanceOf(IllegalArgumentException.class);
  }

  private static void check(DoubleSupplier numbers, double mean, double variance) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
      double value = numbers.getAsDouble();
      sum += value;
      squares += (value - mean) * (value - mean);
    }
    assertThat(sum / COUNT).isCloseTo(mean, within(6 * Math.sqrt(variance / COUNT)));
    assertThat(squares / COUNT).isCloseTo(variance, within(0.02 * variance));
  }
}
