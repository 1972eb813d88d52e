package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Precision;
import dev.tessera.engine.Variables;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Backward;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;

/**
 * A Transformer block on two patches, on a device and on the scalar engine: drivers exist that
 * compile a kernel without complaint and compute something else.
 */
final class SelfTest {
  private static final String OUTPUT = "output";
  private static final String TARGETS = "targets";
  private static final String SCHEDULE = "schedule";

  private SelfTest() {}

  /**
   * Computes the block.
   *
   * @throws DeviceException if the engine fails or its results differ
   */
  static void check(Engine engine, Precision precision) throws DeviceException {
    Graph graph = block();
    Map<String, Tensor> tensors = tensors(graph);
    try (Engine scalar = new ScalarEngine()) {
      Map<String, Tensor> expected = scalar.compile(graph, tensors).run(tensors);
      Map<String, Tensor> actual = engine.compile(graph, tensors).run(tensors);
      compare(engine, precision, floats(actual), floats(expected));
    }
  }

  /**
   * Lets the block learn from its two patches once: gradients, their norm and Adam's updates.
   *
   * @throws DeviceException if the engine fails or its results differ
   */
  static void checkTraining(Engine engine, Precision precision) throws DeviceException {
    Graph block = block();
    Graph graph = training(block);
    Map<String, Tensor> tensors = tensors(block);
    tensors.put(TARGETS, Tensor.of(Shape.of(1, 2), 3f, 11f));
    tensors.put(SCHEDULE, Tensor.of(Shape.of(UpdateOp.SCHEDULE), 1f, 0.5f, 0.5f));
    try (Engine scalar = new ScalarEngine()) {
      compare(engine, precision, learned(engine, graph, tensors), learned(scalar, graph, tensors));
    }
  }

  /** What a run leaves: outputs and variables. */
  private static Map<String, float[]> learned(
      Engine engine, Graph graph, Map<String, Tensor> tensors) {
    Map<String, float[]> start = new LinkedHashMap<>();
    graph
        .variables()
        .forEach((name, value) -> {
          Tensor drawn = tensors.get(name);
          int count = Math.toIntExact(value.shape().elements());
          start.put(name, drawn == null ? new float[count] : drawn.toFloats());
        });
    Variables variables = Variables.of(start);
    Map<String, float[]> left = floats(engine.compile(graph, Map.of(), variables).run(tensors));
    variables.names().forEach(name -> left.put(name, variables.get(name)));
    return left;
  }

  private static Map<String, float[]> floats(Map<String, Tensor> tensors) {
    Map<String, float[]> floats = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> floats.put(name, tensor.toFloats()));
    return floats;
  }

  private static void compare(
      Engine engine,
      Precision precision,
      Map<String, float[]> actual,
      Map<String, float[]> expected)
      throws DeviceException {
    double tolerance = precision == Precision.FP32 ? 1e-3 : 2e-2;
    for (Map.Entry<String, float[]> entry : expected.entrySet()) {
      float[] right = entry.getValue();
      float[] found = Objects.requireNonNull(actual.get(entry.getKey()), entry.getKey());
      for (int i = 0; i < right.length; i++) {
        double difference = Math.abs(found[i] - right[i]);
        if (!(difference <= tolerance * (1 + Math.abs(right[i])))) {
          throw new DeviceException(
              "device "
                  + engine.name()
                  + " computes wrong results: "
                  + found[i]
                  + " where "
                  + right[i]
                  + " is right; its driver may be at fault, use another device.");
        }
      }
    }
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
    graph.output(OUTPUT, x);
    return graph.build();
  }

  /** All parameters of the block are trained to have two features stand out. */
  private static Graph training(Graph block) {
    Set<String> names = block.parameters().keySet();
    GraphBuilder graph = new GraphBuilder(block.varying(names));
    Value output = Objects.requireNonNull(block.outputs().get(OUTPUT));
    Value targets = graph.input(TARGETS, Shape.of(1, 2));
    Value loss = graph.output("loss", graph.crossEntropy(output, targets, 0.1f));
    Map<String, Value> gradients = Backward.of(graph, loss, block.parameters());
    Value norm = graph.output("norm", graph.norm(List.copyOf(gradients.values()), 1));
    Value schedule = graph.input(SCHEDULE, Shape.of(UpdateOp.SCHEDULE));
    gradients.forEach((name, gradient) -> {
      Value first = graph.variable("first/" + name, gradient.shape());
      Value second = graph.variable("second/" + name, gradient.shape());
      Value parameter = Objects.requireNonNull(block.parameters().get(name));
      // An epsilon of 1 keeps steps as small as gradients: those near 0 may differ in sign.
      graph.update(
          new UpdateOp.Adam(
              parameter, gradient, first, second, norm, schedule, 0.5, 0.5, 1, 1, 0.05, true));
    });
    return graph.build();
  }

  private static Map<String, Tensor> tensors(Graph graph) {
    Random random = new Random(1);
    Map<String, Tensor> tensors = new HashMap<>();
    graph.inputs().forEach((name, value) -> tensors.put(name, normal(value.shape(), random)));
    graph.parameters().forEach((name, value) -> tensors.put(name, normal(value.shape(), random)));
    return tensors;
  }

  private static Tensor normal(Shape shape, Random random) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * 0.5f;
    }
    return Tensor.of(shape, values);
  }
}
