package dev.tessera.bench;

import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Vision Transformers of the published sizes (arXiv:2010.11929, table 1; arXiv:2012.12877, table 1)
 * with random weights: speed does not depend on what a model has learned.
 */
enum RandomVit {
  TINY(192, 3, 768),
  BASE(768, 12, 3072);

  static final int IMAGE = 224;
  static final int PATCH = 16;
  static final int LAYERS = 12;
  static final int CLASSES = 1000;
  static final float EPSILON = 1e-12f;

  /** Standard deviation of the weights, {@code initializer_range} in a config.json. */
  private static final float DEVIATION = 0.02f;

  private static final long SEED = 16;

  final int hidden;
  final int heads;
  final int intermediate;

  RandomVit(int hidden, int heads, int intermediate) {
    this.hidden = hidden;
    this.heads = heads;
    this.intermediate = intermediate;
  }

  /**
   * Gaussian weights and biases with deviation 0.02, about 1 for the weights of layer
   * normalisation, under the names of transformers; the same ones on every call.
   */
  Map<String, Tensor> parameters(Arena arena) {
    RandomGenerator random = generator(SEED);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    shapes()
        .forEach((name, shape) -> {
          boolean norm = name.contains("layernorm") && name.endsWith(".weight");
          tensors.put(name, random(arena, shape, random, norm ? 1 : 0, DEVIATION));
        });
    return tensors;
  }

  private Map<String, Shape> shapes() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    int tokens = IMAGE / PATCH * (IMAGE / PATCH) + 1;
    shapes.put("vit.embeddings.cls_token", Shape.of(1, 1, hidden));
    shapes.put("vit.embeddings.position_embeddings", Shape.of(1, tokens, hidden));
    String projection = "vit.embeddings.patch_embeddings.projection";
    put(shapes, projection, Shape.of(hidden, 3, PATCH, PATCH));
    for (int layer = 0; layer < LAYERS; layer++) {
      String name = "vit.encoder.layer." + layer + ".";
      put(shapes, name + "layernorm_before", Shape.of(hidden));
      put(shapes, name + "attention.attention.query", Shape.of(hidden, hidden));
      put(shapes, name + "attention.attention.key", Shape.of(hidden, hidden));
      put(shapes, name + "attention.attention.value", Shape.of(hidden, hidden));
      put(shapes, name + "attention.output.dense", Shape.of(hidden, hidden));
      put(shapes, name + "layernorm_after", Shape.of(hidden));
      put(shapes, name + "intermediate.dense", Shape.of(intermediate, hidden));
      put(shapes, name + "output.dense", Shape.of(hidden, intermediate));
    }
    put(shapes, "vit.layernorm", Shape.of(hidden));
    put(shapes, "classifier", Shape.of(CLASSES, hidden));
    return shapes;
  }

  private static void put(Map<String, Shape> shapes, String name, Shape weight) {
    shapes.put(name + ".weight", weight);
    shapes.put(name + ".bias", Shape.of(weight.extent(0)));
  }

  /** Pixels as they are after normalisation: mean 0, deviation 1. */
  static Tensor pixels(Arena arena, Shape shape) {
    return random(arena, shape, generator(shape.elements()), 0, 1);
  }

  private static RandomGenerator generator(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  private static Tensor random(
      Arena arena, Shape shape, RandomGenerator random, float mean, float deviation) {
    Tensor tensor = Tensor.allocate(arena, DType.F32, shape);
    for (long i = 0; i < shape.elements(); i++) {
      tensor
          .data()
          .setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian(mean, deviation));
    }
    return tensor;
  }
}
