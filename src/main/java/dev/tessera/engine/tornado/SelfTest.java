package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Precision;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * A Transformer block on two patches, on a device and on the scalar engine: drivers exist that
 * compile a kernel without complaint and compute something else.
 */
final class SelfTest {
  private SelfTest() {}

  /**
   * @throws DeviceException if the engine fails or its results differ
   */
  static void check(Engine engine, Precision precision) throws DeviceException {
    double tolerance = precision == Precision.FP32 ? 1e-3 : 2e-2;
    Graph graph = block();
    Random random = new Random(1);
    Map<String, Tensor> tensors = new HashMap<>();
    graph.inputs().forEach((name, value) -> tensors.put(name, normal(value.shape(), random)));
    graph.parameters().forEach((name, value) -> tensors.put(name, normal(value.shape(), random)));
    try (Engine scalar = new ScalarEngine()) {
      float[] expected = output(scalar, graph, tensors);
      float[] actual = output(engine, graph, tensors);
      for (int i = 0; i < expected.length; i++) {
        double difference = Math.abs(actual[i] - expected[i]);
        if (!(difference <= tolerance * (1 + Math.abs(expected[i])))) {
          throw new DeviceException(
              "device "
                  + engine.name()
                  + " computes wrong results: "
                  + actual[i]
                  + " where "
                  + expected[i]
                  + " is right; its driver may be at fault, use another device.");
        }
      }
    }
  }

  private static float[] output(Engine engine, Graph graph, Map<String, Tensor> tensors) {
    Tensor output = engine.compile(graph, tensors).run(tensors).get("output");
    if (output == null) {
      throw new IllegalStateException("no output");
    }
    return output.toFloats();
  }

  private static Graph block() {
    GraphBuilder graph = new GraphBuilder();
    Value image = graph.input("image", Shape.of(1, 3, 4, 8));
    Value x = graph.linear(graph.patches(image, 4, 4), "embedding", 16);
    Value normal = graph.layerNorm(x, "before", 1e-6f);
    Value attention =
        graph.attention(
            graph.linear(normal, "query", 16),
            graph.linear(normal, "key", 16),
            graph.linear(normal, "value", 16),
            2);
    x = graph.add(x, graph.linear(attention, "projection", 16));
    Value inner = graph.linear(graph.layerNorm(x, "after", 1e-6f), "up", 40);
    x = graph.add(x, graph.linear(graph.activate(Activation.GELU, inner), "down", 16));
    graph.output("output", x);
    return graph.build();
  }

  private static Tensor normal(Shape shape, Random random) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * 0.5f;
    }
    return Tensor.of(shape, values);
  }
}
