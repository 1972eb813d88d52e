package dev.tessera.train;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The orthogonal matrix nearest to another, roughly: singular vectors stay, singular values come
 * near 1. Muon's iteration (Jordan et al., "Muon: An optimizer for hidden layers in neural
 * networks", 2024): a polynomial of degree five after Newton and Schulz that is steep at 0, so that
 * small singular values rise in few steps, at the price of never settling at 1.
 *
 * <p>{@code aX + (bS + cS²)X} with {@code S = XXᵀ} is computed with its square completed: for
 * {@code Y = ∜c·X} it is {@code ((YYᵀ + h·I)² + r·I)·Y}, three products and no pass over memory
 * beside them, as two of the products start their sums at multiples of the identity.
 */
final class NewtonSchulz {
  private static final double A = 3.4445;
  private static final double B = -4.7750;
  private static final double C = 2.0315;
  private static final float ROOT = (float) Math.pow(C, 0.25);
  private static final float HALF = (float) (B / Math.sqrt(C) / 2);
  private static final float REST = (float) (A - B * B / C / 4);
  private static final int ITERATIONS = 5;
  private static final float EPSILON = 1e-7f;

  private final GraphBuilder graph;
  private final Map<String, Tensor> constants = new LinkedHashMap<>();

  /**
   * @param graph to append to
   */
  NewtonSchulz(GraphBuilder graph) {
    this.graph = graph;
  }

  /** The parameters that the graph has got from here. */
  Map<String, Tensor> constants() {
    return constants;
  }

  /**
   * Appends five iterations, or their mirror image where that has the smaller square.
   *
   * @param matrix {@code [out, in]}
   * @param length what singular values come near in the result
   * @return of the same shape
   */
  Value append(Value matrix, float length) {
    Shape shape = matrix.shape();
    Value flat = graph.reshape(matrix, Shape.of(1, Math.toIntExact(shape.elements())));
    // No singular value is larger than the root of the sum of all squares.
    Value y = graph.scale(graph.reshape(graph.l2Normalize(flat, EPSILON), shape), ROOT);
    boolean wide = shape.extent(0) <= shape.extent(1);
    int size = Math.min(shape.extent(0), shape.extent(1));
    Value half = diagonal("half", size, HALF);
    Value rest = diagonal("rest", size, REST);
    for (int i = 0; i < ITERATIONS; i++) {
      Value square = wide ? graph.linear(y, y, null) : graph.transposedProduct(y, y);
      Value completed = graph.add(square, half);
      Value polynomial = graph.product(completed, completed, rest);
      y = wide ? graph.product(polynomial, y, null) : graph.product(y, polynomial, null);
    }
    return graph.scale(y, length / ROOT);
  }

  private Value diagonal(String name, int size, float factor) {
    String parameter = "newton-schulz/" + name + "/" + size;
    Shape shape = Shape.of(size, size);
    constants.computeIfAbsent(
        parameter,
        _ -> {
          float[] elements = new float[size * size];
          for (int i = 0; i < elements.length; i += size + 1) {
            elements[i] = factor;
          }
          return Tensor.of(shape, elements);
        });
    return graph.parameter(parameter, shape);
  }
}
