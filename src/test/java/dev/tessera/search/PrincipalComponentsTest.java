package dev.tessera.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PrincipalComponentsTest {
  @Test
  void findsTheDirectionsOfTheLargestVariance() {
    Random random = new Random(4);
    double c = Math.cos(0.3);
    double s = Math.sin(0.3);
    float[][] vectors = new float[4000][];
    for (int i = 0; i < vectors.length; i++) {
      double a = 5 * random.nextGaussian();
      double b = 2 * random.nextGaussian();
      double noise = 0.5 * random.nextGaussian();
      vectors[i] =
          new float[] {(float) (c * a - s * b + 7), (float) (s * a + c * b), (float) noise};
    }
    try (Arena arena = Arena.ofConfined()) {
      PrincipalComponents found = PrincipalComponents.of(Rows.of(arena, vectors), 2, null);
      assertThat(found.directions()[0]).containsExactly(new double[] {c, s, 0}, within(0.02));
      assertThat(found.directions()[1]).containsExactly(new double[] {-s, c, 0}, within(0.02));
      assertThat(found.shares()[0]).isCloseTo(25 / 29.25, within(0.02));
      assertThat(found.shares()[1]).isCloseTo(4 / 29.25, within(0.02));
      assertThat(found.mean()[0]).isCloseTo(7, within(0.3));
      float[] vector = {(float) (7 + 10 * c), (float) (10 * s), 3};
      assertThat(found.project(vector)[0]).isCloseTo(10, within(0.5));
      assertThat(found.project(vector)[1]).isCloseTo(0, within(0.5));
    }
  }

  @Test
  void vectorsThatDoNotDifferLieInOnePoint() {
    float[][] vectors = {{1, 2, 3}, {1, 2, 3}, {9, 9, 9}};
    try (Arena arena = Arena.ofConfined()) {
      PrincipalComponents found =
          PrincipalComponents.of(Rows.of(arena, vectors), 2, row -> row < 2);
      assertThat(found.project(vectors[0])).containsExactly(0, 0);
      assertThat(found.shares()).containsExactly(0, 0);
    }
  }
}
