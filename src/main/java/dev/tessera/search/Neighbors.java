package dev.tessera.search;

/**
 * The rows most like a query, best first; of equal ones, the earlier row comes first.
 *
 * @param rows their numbers
 * @param scores their inner products with the query: cosines, where all vectors have length 1
 */
public record Neighbors(int[] rows, float[] scores) {
  public int count() {
    return rows.length;
  }
}
