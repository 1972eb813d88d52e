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
   * Rows of the register tile. With six rows of four vectors, four vectors of B and one of A, 29 of
   * the 32 registers of AVX-512 and NEON are in use, and ten loads feed 24 multiply-adds; a seventh
   * row would spill. Six rows of two vectors use 15 of AVX2's 16.
   */
  static final int ROWS = 6;

  /** Vectors in a row of the register tile. */
  static final int VECTORS =
      WIDTH == 16 || THIRTY_TWO_REGISTERS.contains(System.getProperty("os.arch", "")) ? 4 : 2;

  /** Columns of the register tile. */
  static final int COLUMNS = VECTORS * WIDTH;

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
