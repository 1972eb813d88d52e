package dev.tessera.model;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Parameters before any training: tokens, positions and heads normal with a deviation of 0.02, as
 * {@code ViTPreTrainedModel} of {@code transformers} and timm draw them; weights within the model
 * normal with a deviation of 1/√inputs (LeCun et al., "Efficient BackProp", 1998), because 0.02,
 * meant for widths around 1000, lets narrow models learn slowly; biases 0, normalisations 1. Each
 * parameter's numbers depend on the seed and its name alone.
 */
final class RandomParameters {
  /** {@code initializer_range} of the configs. */
  static final double DEVIATION = 0.02;

  private final long seed;

  RandomParameters(long seed) {
    this.seed = seed;
  }

  /** A weight {@code [out, in…]} that keeps the size of what it multiplies. */
  Tensor weight(String name, int... extents) {
    Shape shape = Shape.of(extents);
    return normal(name, 1 / Math.sqrt((double) shape.elements() / extents[0]), shape);
  }

  /** A token, positions or a head. */
  Tensor small(String name, int... extents) {
    return normal(name, DEVIATION, Shape.of(extents));
  }

  private Tensor normal(String name, double deviation, Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    SplittableRandom random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + name.hashCode());
    for (int i = 0; i < values.length; i += 2) {
      // Box and Muller: two normal numbers of two uniform ones, the same on every machine.
      double radius = deviation * StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
      double angle = 2 * Math.PI * random.nextDouble();
      values[i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < values.length) {
        values[i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
    return Tensor.of(shape, values);
  }

  static Tensor zeros(int... extents) {
    Shape shape = Shape.of(extents);
    return Tensor.of(shape, new float[Math.toIntExact(shape.elements())]);
  }

  static Tensor ones(int count) {
    float[] values = new float[count];
    Arrays.fill(values, 1);
    return Tensor.of(Shape.of(count), values);
  }
}
