package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.engine.cpu.FixedKernels;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Ten steps of every optimiser against PyTorch's. */
class OptimizerTest {
  private static final Path REFERENCE = Path.of("test/resources/optim");
  private static final List<Engine> ENGINES =
      List.of(new ScalarEngine(), FixedKernels.vectorised(2));
  private static final List<String> NAMES = List.of("weight1", "bias1", "weight2", "bias2");

  @AfterAll
  static void close() {
    ENGINES.forEach(Engine::close);
  }

  static Stream<Arguments> cases() {
    Optimizer adamW = Optimizer.AdamW.DEFAULT;
    return Stream.of(
        Arguments.of("adamw", new TrainingStep.Settings(adamW, 0, 0), 0.01, 0.05),
        Arguments.of("adamw_clip_ema", new TrainingStep.Settings(adamW, 1, 0.99), 0.01, 0.05),
        Arguments.of(
            "adam_l2",
            new TrainingStep.Settings(new Optimizer.Adam(0.9, 0.999, 1e-8), 0, 0),
            0.01,
            0.05),
        Arguments.of(
            "sgd_momentum",
            new TrainingStep.Settings(new Optimizer.Sgd(0.9, false), 0, 0),
            0.05,
            0.01),
        Arguments.of(
            "sgd_nesterov",
            new TrainingStep.Settings(new Optimizer.Sgd(0.9, true), 0, 0),
            0.05,
            0.0),
        Arguments.of(
            "muon",
            new TrainingStep.Settings(new Optimizer.Muon(0.95, Optimizer.AdamW.DEFAULT), 0, 0),
            0.01,
            0.05));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void tenSteps(String name, TrainingStep.Settings settings, double rate, double decay)
      throws IOException {
    try (Safetensors file = Safetensors.open(REFERENCE.resolve(name + ".safetensors"))) {
      for (Engine engine : ENGINES) {
        compare(engine, file.tensors(), settings, rate, decay);
      }
    }
  }

  private static void compare(
      Engine engine,
      Map<String, Tensor> reference,
      TrainingStep.Settings settings,
      double rate,
      double decay) {
    GraphBuilder graph = new GraphBuilder();
    Map<String, Value> gradients = new LinkedHashMap<>();
    Map<String, ParameterRule> rules = new LinkedHashMap<>();
    Map<String, float[]> arrays = new LinkedHashMap<>();
    for (String name : NAMES) {
      Tensor start = reference.get("param0." + name);
      gradients.put(name, graph.input("gradient of " + name, start.shape()));
      boolean matrix = name.startsWith("weight");
      ParameterRule rule = new ParameterRule(true, 1, matrix ? decay : 0, matrix);
      rules.put(name, rule);
      arrays.put(name, start.toFloats());
      arrays.put("ema/" + name, start.toFloats());
      for (String slot : settings.optimizer().of(rule).slots()) {
        arrays.put(slot + name, new float[start.toFloats().length]);
      }
    }
    Map<String, Tensor> constants = Updates.append(graph, gradients, rules, settings);
    Variables variables = Variables.of(arrays);
    Executable step = engine.compile(graph.build(), constants, variables);
    for (int i = 0; i < 10; i++) {
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      for (String name : NAMES) {
        inputs.put("gradient of " + name, row(reference.get("grads." + name), i));
      }
      inputs.put(
          "schedule",
          Tensor.of(
              Shape.of(3),
              (float) rate,
              (float) (1 - Math.pow(0.9, i + 1)),
              (float) (1 - Math.pow(0.999, i + 1))));
      float norm = step.run(inputs).get("gradient_norm").toFloats()[0];
      if (reference.containsKey("grad_norms")) {
        assertThat(norm).isCloseTo(reference.get("grad_norms").toFloats()[i], within(1e-5f));
      }
      for (String name : NAMES) {
        assertClose(name, variables.get(name), row(reference.get("params." + name), i));
        if (reference.containsKey("ema." + name)) {
          assertClose(
              "ema/" + name, variables.get("ema/" + name), row(reference.get("ema." + name), i));
        }
      }
    }
  }

  private static Tensor row(Tensor steps, int step) {
    Tensor row = steps.slice(step, step + 1);
    int[] extents = steps.shape().toArray();
    return row.reshape(Shape.of(Arrays.copyOfRange(extents, 1, extents.length)));
  }

  private static void assertClose(String name, float[] actual, Tensor expected) {
    float[] values = expected.toFloats();
    for (int i = 0; i < values.length; i++) {
      double tolerance = 1e-6 + 1e-5 * Math.abs(values[i]);
      assertThat((double) actual[i])
          .as("%s, element %d", name, i)
          .isCloseTo(values[i], within(tolerance));
    }
  }
}
