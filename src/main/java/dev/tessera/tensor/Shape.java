package dev.tessera.tensor;

import java.util.Arrays;

/**
 * The extents of a tensor, outermost first; {@code Shape.of()} is a scalar with one element.
 *
 * <p>Immutable. Extents are at least 0 and their product fits in a {@code long}.
 */
public final class Shape {
  private final int[] extents;
  private final long elements;

  private Shape(int[] extents) {
    long product = 1;
    for (int extent : extents) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(extents));
      }
      product = Math.multiplyExact(product, (long) extent);
    }
    this.extents = extents;
    this.elements = product;
  }

  /** A shape with the given extents, outermost first. */
  public static Shape of(int... extents) {
    return new Shape(extents.clone());
  }

  public int rank() {
    return extents.length;
  }

  /** The extent of {@code axis}; a negative axis counts from the last: -1 is the innermost. */
  public int extent(int axis) {
    return extents[axis < 0 ? axis + extents.length : axis];
  }

  /** The innermost extent: the length of one row. 1 for a scalar. */
  public int last() {
    return extents.length == 0 ? 1 : extents[extents.length - 1];
  }

  /** Number of elements: the product of all extents. */
  public long elements() {
    return elements;
  }

  /**
   * Number of rows when the innermost axis is taken as a row: product of all extents but the last.
   */
  public long rows() {
    long product = 1;
    for (int axis = 0; axis < extents.length - 1; axis++) {
      product *= extents[axis];
    }
    return product;
  }

  /** Elements from one index of {@code axis} to the next: the product of all extents after it. */
  public int stride(int axis) {
    int product = 1;
    for (int after = axis + 1; after < extents.length; after++) {
      product *= extents[after];
    }
    return product;
  }

  /** This shape with the extent of {@code axis} (negative counts from the last) replaced. */
  public Shape with(int axis, int extent) {
    int[] copy = extents.clone();
    copy[axis < 0 ? axis + copy.length : axis] = extent;
    return new Shape(copy);
  }

  public int[] toArray() {
    return extents.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(extents, shape.extents);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(extents);
  }

  /** As {@code transformers} prints it: {@code [2, 3, 224, 224]}. */
  @Override
  public String toString() {
    return Arrays.toString(extents);
  }
}
