package dev.tessera.bench;

import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Vision Transformers of the published sizes (arXiv:2010.11929, table 1; arXiv:2012.12877, table 1)
 * with random weights: speed does not depend on what a model has learned.
 */
public enum RandomVit {
  TINY(192, 3, 768),
  BASE(768, 12, 3072);

  public static final int IMAGE = 224;
  public static final int PATCH = 16;
  public static final int LAYERS = 12;
  public static final int CLASSES = 1000;
  public static final float EPSILON = 1e-12f;

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

  /** From {@code pixel_values} to {@code logits}, with the parameter names of transformers. */
  public Graph graph(int batch) {
    GraphBuilder g = new GraphBuilder();
    int tokens = IMAGE / PATCH * (IMAGE / PATCH) + 1;
    Value pixels = g.input("pixel_values", Shape.of(batch, 3, IMAGE, IMAGE));
    String projection = "vit.embeddings.patch_embeddings.projection";
    Value kernel = g.parameter(projection + ".weight", Shape.of(hidden, 3, PATCH, PATCH));
    Value patches =
        g.linear(
            g.patches(pixels, PATCH, PATCH),
            g.reshape(kernel, Shape.of(hidden, 3 * PATCH * PATCH)),
            g.parameter(projection + ".bias", Shape.of(hidden)));
    Value classToken = g.parameter("vit.embeddings.cls_token", Shape.of(1, 1, hidden));
    Value positions =
        g.parameter("vit.embeddings.position_embeddings", Shape.of(1, tokens, hidden));
    Value x = g.add(g.concat(List.of(classToken, patches)), positions);
    for (int layer = 0; layer < LAYERS; layer++) {
      x = layer(g, x, "vit.encoder.layer." + layer + ".");
    }
    Value normalised = g.layerNorm(x, "vit.layernorm", EPSILON);
    g.output("logits", g.linear(g.token(normalised, 0), "classifier", CLASSES));
    return g.build();
  }

  private Value layer(GraphBuilder g, Value input, String name) {
    Value before = g.layerNorm(input, name + "layernorm_before", EPSILON);
    String attention = name + "attention.attention.";
    Value context =
        g.attention(
            g.linear(before, attention + "query", hidden),
            g.linear(before, attention + "key", hidden),
            g.linear(before, attention + "value", hidden),
            heads);
    Value attended = g.add(g.linear(context, name + "attention.output.dense", hidden), input);
    Value after = g.layerNorm(attended, name + "layernorm_after", EPSILON);
    Value inner =
        g.activate(Activation.GELU, g.linear(after, name + "intermediate.dense", intermediate));
    return g.add(g.linear(inner, name + "output.dense", hidden), attended);
  }

  /**
   * Gaussian weights and biases with deviation 0.02, about 1 for the weights of layer
   * normalisation; the same ones on every call.
   */
  public Map<String, Tensor> parameters(Arena arena) {
    RandomGenerator random = generator(SEED);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    graph(1)
        .parameters()
        .forEach((name, value) -> {
          boolean norm = name.contains("layernorm") && name.endsWith(".weight");
          tensors.put(name, gaussian(arena, value.shape(), random, norm ? 1 : 0, DEVIATION));
        });
    return tensors;
  }

  /** Pixels as they are after normalisation: mean 0, deviation 1. */
  public static Tensor pixels(Arena arena, int batch, long seed) {
    return gaussian(arena, Shape.of(batch, 3, IMAGE, IMAGE), generator(seed), 0, 1);
  }

  private static RandomGenerator generator(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  private static Tensor gaussian(
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
