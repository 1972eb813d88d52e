package dev.tessera.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Test;

/** That the build's runs on narrower vectors are what they say. */
class LanesTest {
  /** Set beside {@code -XX:MaxVectorSize} by the build. */
  private static final Integer ASKED = Integer.getInteger("tessera.test.vectorBits");

  private static final int BITS = Lanes.SPECIES.vectorBitSize();

  @Test
  void areAsWideAsTheBuildAsked() {
    assumeThat(ASKED).as("skipped: this run takes the machine's own width").isNotNull();
    assertThat(BITS).isLessThanOrEqualTo(ASKED);
    assumeThat(BITS).as("skipped: this machine has no vectors of %d bits", ASKED).isEqualTo(ASKED);
    assertThat(Lanes.COLUMNS).isEqualTo(2 * ASKED / Float.SIZE);
  }

  @Test
  void tilesFitTheRegisters() {
    boolean thirtyTwo = BITS == 512 || !System.getProperty("os.arch").matches("amd64|x86_64");
    // Two vectors of each row, two of B and one of A.
    assertThat(2 * Lanes.ROWS + 3).isLessThanOrEqualTo(thirtyTwo ? 32 : 16);
    assertThat(Lanes.WIDTH).isIn(4, 8, 16);
  }
}
