package dev.tessera.train;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;

/**
 * The orthogonal matrix nearest to another, roughly: singular vectors stay, singular values come
 * near 1. Muon's iteration (Jordan et al., "Muon: An optimizer for hidden layers in neural
 * networks", 2024): a polynomial of degree five after Newton and Schulz that is steep at 0, so that
 * small singular values rise in few steps, at the price of never settling at 1.
 */
final class NewtonSchulz {
  private static final float A = 3.4445f;
  private static final float B = -4.7750f;
  private static final float C = 2.0315f;
  private static final int ITERATIONS = 5;
  private static final float EPSILON = 1e-7f;

  private NewtonSchulz() {}

  /**
   * Appends {@code X ← aX + (bS + cS²)X} with {@code S = XXᵀ}, five times, or its mirror image
   * where that has the smaller square.
   *
   * @param matrix {@code [out, in]}
   * @return of the same shape
   */
  static Value append(GraphBuilder graph, Value matrix) {
    Shape shape = matrix.shape();
    Value flat = graph.reshape(matrix, Shape.of(1, Math.toIntExact(shape.elements())));
    // No singular value is larger than the root of the sum of all squares.
    Value x = graph.reshape(graph.l2Normalize(flat, EPSILON), shape);
    boolean wide = shape.extent(0) <= shape.extent(1);
    for (int i = 0; i < ITERATIONS; i++) {
      Value square = wide ? graph.linear(x, x, null) : graph.transposedProduct(x, x);
      // The square is symmetric: it is its own transpose.
      Value polynomial =
          graph.add(graph.scale(square, B), graph.scale(graph.linear(square, square, null), C));
      Value scaled = graph.scale(x, A);
      x = wide ? graph.product(polynomial, x, scaled) : graph.product(x, polynomial, scaled);
    }
    return x;
  }
}
