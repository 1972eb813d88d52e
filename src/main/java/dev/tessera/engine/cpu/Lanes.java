package dev.tessera.engine.cpu;

import java.util.Set;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** How wide this machine computes, and the register tile that fits it. */
final class Lanes {
  private static final Set<String> THIRTY_TWO_REGISTERS = Set.of("aarch64", "riscv64");

  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Floats in one vector: 4, 8 or 16. */
  static final int WIDTH = SPECIES.length();

  /**
   * Rows of the register tile. 11 rows of two vectors, with two vectors of B and one of A, use 25
   * of the 32 registers of AVX-512 and NEON: more rows gain nothing. 6 rows use 15 of the 16 of
   * AVX2.
   */
  static final int ROWS =
      WIDTH == 16 || THIRTY_TWO_REGISTERS.contains(System.getProperty("os.arch", "")) ? 11 : 6;

  /** Columns of the register tile: two vectors. */
  static final int COLUMNS = 2 * WIDTH;

  private Lanes() {}

  /** Tiles needed for so many rows. */
  static int rowTiles(int rows) {
    return Math.ceilDiv(rows, ROWS);
  }

  /** Panels needed for so many columns. */
  static int panels(int columns) {
    return Math.ceilDiv(columns, COLUMNS);
  }
}
