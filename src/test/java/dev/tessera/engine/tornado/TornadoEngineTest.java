package dev.tessera.engine.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Precision;
import dev.tessera.engine.Variables;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Backward;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import dev.tessera.train.Loss;
import dev.tessera.train.Optimizer;
import dev.tessera.train.ParameterRule;
import dev.tessera.train.TrainingStep;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;

/** Every operation on every test device against the scalar oracle, on odd shapes. */
class TornadoEngineTest {
  private static final double TOLERANCE = 2e-5;
  private static final Engine SCALAR = new ScalarEngine();

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "7, 17, 33", "5, 70, 3", "66, 20, 65"})
  void linear(int rows, int in, int out) {
    compare(g -> {
      Value x = g.input("x", Shape.of(rows, in));
      Value y = g.input("y", Shape.of(rows, out));
      g.output("plain", g.linear(x, "a", out, false));
      g.output("gelu", g.activate(Activation.GELU, g.linear(x, "b", out)));
      g.output("residual", g.add(y, g.linear(x, "c", out)));
      Value scale = g.parameter("scale", Shape.of(out));
      g.output("scaled", g.add(g.multiply(g.linear(x, "d", out), scale), y));
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 64, 130})
  void layerNorm(int width) {
    compare(g -> {
      Value x = g.input("x", Shape.of(2, 5, width));
      g.output("y", g.layerNorm(x, "norm", 1e-5f));
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 40})
  void rows(int width) {
    compare(g -> {
      Value x = g.input("x", Shape.of(3, 2, width));
      g.output("rms", g.rmsNorm(x, "rms", 1e-5f));
      g.output("unit", g.l2Normalize(x, 1e-6f));
      g.output("softmax", g.softmax(x));
      g.output("logSoftmax", g.logSoftmax(x));
    });
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation activation) {
    compare(g -> {
      Value x = g.input("x", Shape.of(5, 14));
      g.output("y", g.activate(activation, g.scale(x, 3)));
      g.output("gated", g.gated(activation, x));
    });
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1, 1", "2, 3, 17, 17, 8", "2, 2, 33, 40, 7", "3, 1, 5, 70, 130"})
  void attention(int batch, int heads, int queries, int keys, int width) {
    compare(g -> {
      Value q = g.input("q", Shape.of(batch, queries, heads * width));
      Value k = g.input("k", Shape.of(batch, keys, heads * width));
      Value v = g.input("v", Shape.of(batch, keys, heads * width));
      Value mask = g.input("mask", Shape.of(batch, keys));
      g.output("plain", g.attention(q, k, v, heads));
      g.output("masked", g.attention(q, k, v, mask, heads, false));
      g.output("causal", g.attention(q, k, v, null, heads, true));
      g.output("both", g.attention(q, k, v, mask, heads, true));
      g.output("probabilities", g.attentionProbabilities(q, k, mask, heads, true));
    });
  }

  /** Rounded factors of 11 bits: near the oracle, and not as near as single precision is. */
  @ParameterizedTest
  @CsvSource({"TF32, 7", "TF32, 8", "FP16, 7", "FP16, 8"})
  void lessPrecision(Precision precision, int width) throws DeviceException {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 5, 3 * width));
    Value q = g.linear(x, "q", 3 * width);
    Value k = g.linear(x, "k", 3 * width, false);
    Value v = g.linear(q, "v", 3 * width);
    g.output("attention", g.attention(q, k, v, 3));
    g.output("causal", g.attention(q, k, v, null, 3, true));
    Value scaled = g.multiply(g.linear(v, "o", 11), g.parameter("scale", Shape.of(11)));
    g.output("linear", g.add(g.input("y", Shape.of(2, 5, 11)), scaled));
    g.output("varying", g.linear(v, g.linear(g.token(x, 0), "w", 3 * width), null));
    lessPrecision(precision, g.build());
  }

  /** The names of the kernels. */
  private static List<String> lessPrecision(Precision precision, Graph graph)
      throws DeviceException {
    assumeThat(Engines.tornadoDevices()).anyMatch(device -> device.name().equals("cuda:0"));
    Map<String, Tensor> tensors = tensors(graph);
    try (Engine engine = Engines.open("cuda:0", 0, precision);
        Engine scalar = new ScalarEngine()) {
      Map<String, Tensor> expected = scalar.compile(graph, tensors).run(tensors);
      TornadoExecutable executable = (TornadoExecutable) engine.compile(graph, tensors);
      executable
          .run(tensors)
          .forEach((name, tensor) -> {
            double square = 0;
            double error = 0;
            float[] want = expected.get(name).toFloats();
            for (int i = 0; i < want.length; i++) {
              square += want[i] * (double) want[i];
              error += Math.pow(tensor.toFloats()[i] - (double) want[i], 2);
            }
            assertThat(Math.sqrt(error / square)).as(name).isBetween(1e-5, 2e-3);
          });
      return executable.steps().stream().map(KernelTable::kind).toList();
    }
  }

  /** A block's factors, each rounded by the kernel that makes it. */
  @Test
  void roundsWhereFactorsAreMade() throws DeviceException {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 5, 24));
    Value q = g.linear(x, "q", 24);
    Value k = g.linear(x, "k", 24, false);
    Value v = g.activate(Activation.GELU, g.linear(x, "v", 24));
    Value attended = g.add(g.linear(g.attention(q, k, v, 3), "o", 24), x);
    Value hidden = g.activate(Activation.GELU, g.linear(attended, "up", 24));
    g.output("y", g.linear(hidden, "down", 24));
    assertThat(lessPrecision(Precision.FP16, g.build()))
        .containsExactly(
            "round", // of x
            "linear",
            "split",
            "linear",
            "split",
            "linear",
            "split",
            "attention",
            "merge",
            "linear",
            "linearEnd",
            "linear",
            "linearEnd",
            "linear",
            "linearEnd",
            "copy");
  }

  /** Values with other readers, too, or between whose readers another value is rounded. */
  @Test
  void keepsWhatOthersRead() throws DeviceException {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(2, 5, 24));
    Value shown = g.linear(x, "shown", 24);
    g.output("shown", shown);
    Value early = g.linear(shown, "early", 24);
    Value other = g.linear(g.linear(x, "one", 24), "two", 24);
    Value late = g.linear(early, "late", 24);
    g.output("residual", g.add(g.linear(late, "again", 24), late));
    Value keys = g.linear(other, "keys", 24); // for values, too
    Value first = g.linear(x, "first", 24);
    Value second = g.linear(x, "second", 24);
    Value a = g.attention(first, keys, keys, 3);
    Value b = g.attention(second, keys, keys, 3);
    g.output("attended", g.linear(g.add(a, b), "joined", 24));
    g.output("a", a);
    assertThat(lessPrecision(Precision.FP16, g.build())).contains("round", "split", "merge");
  }

  @Test
  void movement() {
    compare(g -> {
      Value images = g.input("images", Shape.of(2, 3, 7, 9));
      Value patches = g.patches(images, 3, 2);
      Value token = g.parameter("token", Shape.of(1, 1, 18));
      Value tokens = g.concat(List.of(token, patches, token));
      g.output("tokens", tokens);
      g.output("first", g.token(tokens, 0));
      g.output("middle", g.slice(tokens, 1, 1, 4));
      g.output("columns", g.slice(tokens, 2, 5, 9));
      g.output("mean", g.meanTokens(tokens));
      g.output("beside", g.concatFeatures(g.token(tokens, 1), g.meanTokens(patches)));
      g.output("positions", g.add(tokens, g.parameter("positions", Shape.of(1, 10, 18))));
      g.output("product", g.multiply(tokens, tokens));
    });
  }

  @Test
  void outputsThatNothingComputes() {
    compare(g -> {
      Value x = g.input("x", Shape.of(2, 6));
      Value w = g.parameter("w", Shape.of(3, 4));
      g.output("input", x);
      g.output("view", g.reshape(x, Shape.of(3, 4)));
      g.output("parameter", w);
      g.output("folded", g.add(w, w));
      g.output("sum", g.add(g.reshape(x, Shape.of(3, 4)), w));
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void divisionIntoGraphsChangesNothing(int maxTasks) {
    Consumer<GraphBuilder> model =
        g -> {
          Value mask = g.input("mask", Shape.of(2, 5));
          Value x = g.input("x", Shape.of(2, 5, 12));
          for (int layer = 0; layer < 3; layer++) {
            Value inner = g.layerNorm(x, "norm", 1e-5f);
            Value q = g.linear(inner, "query" + layer, 12);
            Value k = g.linear(inner, "key", 12);
            x = g.add(x, g.attention(q, k, inner, mask, 3, false));
            g.output("hidden" + layer, x);
          }
        };
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32, maxTasks)) {
        compare(engine, model, probe.description());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, Partition.MAX_TASKS})
  void parametersThatManyGraphsUseAreUploadedOnce(int maxTasks) {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    GraphBuilder g = new GraphBuilder();
    Value w = g.parameter("w", Shape.of(7, 7));
    Value y = g.input("x", Shape.of(3, 7));
    for (int layer = 0; layer < 5; layer++) {
      y = g.linear(y, w, g.parameter("bias" + layer, Shape.of(7)));
    }
    g.output("y", y);
    Graph graph = g.build();
    DeviceProbe probe =
        TornadoTestEngines.probes().stream()
            .filter(one -> !one.hasLibraries())
            .findFirst()
            .orElseThrow();
    try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32, maxTasks)) {
      KernelTimes times = new KernelTimes();
      engine.profile(times);
      Map<String, Tensor> tensors = tensors(graph);
      engine.compile(graph, tensors).run(tensors);
      int nothing = 1; // in place of a residual
      assertThat(times.bytesIn()).isEqualTo(4L * (3 * 7 + 7 * 7 + 5 * 7 + nothing));
    }
  }

  @Test
  void runsAgainWithOtherInputs() {
    GraphBuilder g = new GraphBuilder();
    g.output("y", g.linear(g.input("x", Shape.of(3, 4)), "a", 5));
    Graph graph = g.build();
    Map<String, Tensor> tensors = tensors(graph);
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        Executable executable = engine.compile(graph, tensors);
        Executable oracle = scalar.compile(graph, tensors);
        for (int run = 0; run < 3; run++) {
          Tensor x = normal(Shape.of(3, 4), new Random(run));
          check("run " + run, executable.run(Map.of("x", x)), oracle.run(Map.of("x", x)));
        }
      }
    }
  }

  @Test
  void readsVariablesOnEveryRun() {
    GraphBuilder g = new GraphBuilder();
    g.output("y", g.linear(g.input("x", Shape.of(2, 3)), "a", 4));
    Graph graph = g.build().varying(Set.of("a.weight"));
    Variables variables = Variables.of(Map.of("a.weight", new float[12]));
    Map<String, Tensor> bias = Map.of("a.bias", normal(Shape.of(4), new Random(2)));
    Map<String, Tensor> x = Map.of("x", normal(Shape.of(2, 3), new Random(3)));
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        Executable executable = engine.compile(graph, bias, variables);
        Executable oracle = scalar.compile(graph, bias, variables);
        for (int run = 0; run < 3; run++) {
          variables.get("a.weight")[run * 4] += 1.5f;
          check("run " + run, executable.run(x), oracle.run(x));
        }
      }
    }
  }

  @Test
  void lossesAndTheirGradients() {
    compare(g -> {
      Value x = g.input("x", Shape.of(5, 7));
      Value target = g.input("target", Shape.of(5, 7));
      Value weighted = g.crossEntropy(x, target, 0);
      Value squared = g.meanSquaredError(x, target);
      g.output("weighted", weighted);
      g.output("squared", squared);
      Value loss = g.add(g.scale(weighted, 3), squared);
      g.output("dx", Backward.of(g, loss, Map.of("x", x)).get("x"));
    });
  }

  @ParameterizedTest
  @CsvSource({"1, 0.3", "21, 0.5"})
  void dropsWhatTheOracleDrops(int run, float rate) {
    compare(g -> {
      Value x = g.input("x", Shape.of(4, 21));
      Value seed = g.parameter("seed", Shape.of(2));
      g.output("y", g.dropout(g.add(x, x), seed, rate, 3, run));
    });
  }

  @Test
  void sumsOfManyRows() {
    compare(g -> {
      Value x = g.input("x", Shape.of(70, 65, 3));
      Value bias = g.parameter("bias", Shape.of(3));
      Value loss = g.meanSquaredError(g.add(x, bias), g.input("y", Shape.of(70, 65, 3)));
      g.output("loss", loss);
      g.output("bias", Backward.of(g, loss, Map.of("bias", bias)).get("bias"));
    });
  }

  /** Every optimiser, with averages, clipping and accumulation, divided into graphs or not. */
  @ParameterizedTest
  @CsvSource({
    "adamw, 250",
    "adamw, 7",
    "adam, 250",
    "sgd, 250",
    "momentum, 3",
    "nesterov, 250",
    "muon, 50"
  })
  void updatesVariables(String name, int maxTasks) {
    Optimizer optimizer =
        switch (name) {
          case "adamw" -> new Optimizer.AdamW(0.9, 0.99, 1e-6);
          case "muon" -> new Optimizer.Muon(0.9, new Optimizer.AdamW(0.9, 0.99, 1e-6));
          case "adam" -> new Optimizer.Adam(0.9, 0.99, 1e-6);
          case "sgd" -> new Optimizer.Sgd(0, false);
          default -> new Optimizer.Sgd(0.9, name.equals("nesterov"));
        };
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(6, 5));
    g.output("logits", g.linear(g.activate(Activation.GELU, g.linear(x, "a", 9)), "b", 4));
    Graph graph = g.build();
    Map<String, Tensor> initial = tensors(graph);
    Map<String, ParameterRule> rules = new HashMap<>();
    graph
        .parameters()
        .forEach((parameter, value) ->
            rules.put(parameter, new ParameterRule(true, 0.5, 0.1, value.shape().rank() == 2)));
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Engine scalar = new ScalarEngine()) {
        TrainingStep[] steps = new TrainingStep[2];
        for (int i = 0; i < 2; i++) {
          steps[i] =
              TrainingStep.compile(
                  i == 0 ? engine : scalar,
                  graph,
                  new Loss.CrossEntropy(0),
                  initial,
                  rules,
                  new TrainingStep.Settings(optimizer, 0.5, 0.9),
                  2);
        }
        for (int run = 0; run < 6; run++) {
          Map<String, Tensor> batch =
              Map.of(
                  "x",
                  normal(Shape.of(6, 5), new Random(run)),
                  TrainingStep.TARGETS,
                  Tensor.of(Shape.of(6), 3f, 1, -1, 0, 2, 2));
          TrainingStep.Result actual = steps[0].run(batch, 0.01, 0);
          TrainingStep.Result expected = steps[1].run(batch, 0.01, 0);
          assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-5));
          assertThat(actual.gradientNorm()).isCloseTo(expected.gradientNorm(), within(1e-5));
        }
        for (String variable : steps[1].variables().names()) {
          assertThat(steps[0].variables().get(variable))
              .as(variable)
              .containsExactly(steps[1].variables().get(variable), within(2e-5f));
        }
      }
    }
  }

  @Test
  void refusesIdsThatNoRowHas() {
    GraphBuilder g = new GraphBuilder();
    Value ids = g.input("ids", Shape.of(2, 3));
    g.output("y", g.embedding(ids, g.parameter("table", Shape.of(4, 5))));
    Graph graph = g.build();
    Tensor table = normal(Shape.of(4, 5), new Random(1));
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        Executable executable = engine.compile(graph, Map.of("table", table));
        Map<String, Tensor> good = Map.of("ids", Tensor.of(Shape.of(2, 3), 0f, 3, 1, 1, 2, 0));
        check(
            "embedding",
            executable.run(good),
            scalar.compile(graph, Map.of("table", table)).run(good));
        Map<String, Tensor> bad = Map.of("ids", Tensor.of(Shape.of(2, 3), 0f, 4, 1, 1, 2, 0));
        assertThatThrownBy(() -> executable.run(bad))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("id 4");
      }
    }
  }

  @Test
  void saysWhenTheDeviceIsFull() {
    GraphBuilder g = new GraphBuilder();
    g.output("y", g.scale(g.input("x", Shape.of(1 << 20)), 2));
    Graph graph = g.build();
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    System.setProperty("tornado.device.memory", "5MB");
    try (Engine engine =
        new TornadoEngine(TornadoTestEngines.probes().getFirst(), Precision.FP32)) {
      Executable executable = engine.compile(graph, Map.of());
      Map<String, Tensor> inputs = Map.of("x", Tensor.of(Shape.of(1 << 20), new float[1 << 20]));
      assertThatThrownBy(() -> executable.run(inputs))
          .isInstanceOf(DeviceFailure.class)
          .hasMessageContaining("not enough memory");
    } finally {
      System.clearProperty("tornado.device.memory");
    }
  }

  @Test
  void saysInOneSentenceWhatTornadoVmDidNotExpect() {
    Step.Task task =
        (_, _) -> {
          throw new TornadoInternalError("unimplemented: %s", "resize");
        };
    Step step =
        new Step("t", new WorkerGrid1D(1), List.of(), List.of(), new Step.Work("", 0, 0), task);
    DeviceProbe probe = TornadoTestEngines.probes().getFirst();
    try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32)) {
      Executable executable =
          new TornadoExecutable(engine, List.of(step), Set.of(), List.of(), List.of(), Map.of());
      assertThatThrownBy(() -> executable.run(Map.of()))
          .isInstanceOf(DeviceFailure.class)
          .hasMessage("device " + probe.name() + " failed: unimplemented: resize.");
    }
  }

  @Test
  void opensDevicesByName() throws DeviceException {
    List<Engines.Device> devices = Engines.tornadoDevices();
    assertThat(devices).isNotEmpty().allMatch(Engines.Device::available);
    try (Engine engine = Engines.open("tornado", 0)) {
      assertThat(engine.name()).isEqualTo(devices.getFirst().name());
    }
    for (Engines.Device device : devices) {
      try (Engine engine = Engines.open(device.name(), 0)) {
        assertThat(engine.description()).isEqualTo(device.explanation());
      }
    }
    assertThatThrownBy(() -> Engines.open("cuda:7", 0))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device cuda:7 is not there; TornadoVM sees ");
  }

  @Test
  void refusesWhatHidesFailures() {
    System.setProperty("tornado.recover.bailout", "True");
    try {
      assertThatThrownBy(() -> Engines.open("tornado", 0))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("hides failures");
    } finally {
      System.setProperty("tornado.recover.bailout", "False");
    }
  }

  @Test
  void theSelfTestFindsWrongResults() {
    Engine wrong =
        wrong((graph, parameters, variables) -> {
          Executable right = SCALAR.compile(graph, parameters, variables);
          return inputs -> {
            Map<String, Tensor> outputs = new HashMap<>();
            right
                .run(inputs)
                .forEach((name, tensor) -> {
                  float[] values = tensor.toFloats();
                  values[values.length - 1] = Float.NaN;
                  outputs.put(name, Tensor.of(tensor.shape(), values));
                });
            return outputs;
          };
        });
    assertThatThrownBy(() -> SelfTest.check(wrong, Precision.FP32))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device opencl:9 computes wrong results: NaN where");
    assertThatThrownBy(() -> SelfTest.checkTraining(wrong, Precision.FP32))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device opencl:9 computes wrong results: NaN where");
  }

  @Test
  void theSelfTestFindsThatNothingIsLearned() {
    Engine forgetful =
        wrong((graph, parameters, variables) -> {
          Map<String, float[]> copies = new HashMap<>();
          variables.names().forEach(name -> copies.put(name, variables.get(name).clone()));
          return SCALAR.compile(graph, parameters, Variables.of(copies));
        });
    assertThatCode(() -> SelfTest.check(forgetful, Precision.FP32)).doesNotThrowAnyException();
    assertThatThrownBy(() -> SelfTest.checkTraining(forgetful, Precision.FP32))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device opencl:9 computes wrong results: ");
  }

  @Test
  void theFirstTrainingWaitsForASelfTest() {
    GraphBuilder builder = new GraphBuilder();
    builder.output("y", builder.linear(builder.input("x", Shape.of(1, 2)), "a", 2, false));
    Graph graph = builder.build();
    Map<String, Tensor> parameters = Map.of("a.weight", Tensor.of(Shape.of(2, 2), 1f, 2f, 3f, 4f));
    Graph varying = graph.varying(Set.of("a.weight"));
    Variables variables = Variables.copyOf(parameters);
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32)) {
        engine.checkBeforeTraining();
        engine.compile(graph, parameters);
        assertThat(engine.executables()).hasSize(1);
        engine.compile(varying, Map.of(), variables);
        assertThat(engine.executables()).hasSize(3);
        engine.compile(varying, Map.of(), variables);
        assertThat(engine.executables()).hasSize(4);
      }
    }
  }

  private interface Compiling {
    Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables);
  }

  private static Engine wrong(Compiling compiling) {
    return new Engine() {
      @Override
      public String name() {
        return "opencl:9";
      }

      @Override
      public String description() {
        return "wrong";
      }

      @Override
      public Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables) {
        return compiling.compile(graph, parameters, variables);
      }

      @Override
      public void close() {}
    };
  }

  private static void compare(Consumer<GraphBuilder> model) {
    TornadoTestEngines.all()
        .forEach((name, engine) -> {
          try (engine) {
            compare(engine, model, name);
          }
        });
  }

  private static void compare(Engine engine, Consumer<GraphBuilder> model, String what) {
    GraphBuilder builder = new GraphBuilder();
    model.accept(builder);
    Graph graph = builder.build();
    Map<String, Tensor> tensors = tensors(graph);
    try (Engine scalar = new ScalarEngine()) {
      Map<String, Tensor> expected = scalar.compile(graph, tensors).run(tensors);
      check(what, engine.compile(graph, tensors).run(tensors), expected);
    }
  }

  private static void check(String what, Map<String, Tensor> actual, Map<String, Tensor> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    expected.forEach((name, tensor) -> {
      float[] right = tensor.toFloats();
      Tensor output = actual.get(name);
      assertThat(output.shape()).isEqualTo(tensor.shape());
      float[] values = output.toFloats();
      for (int i = 0; i < right.length; i++) {
        if (!(Math.abs(values[i] - right[i]) <= TOLERANCE * (1 + Math.abs(right[i])))) {
          throw new AssertionError(
              "%s, %s: element %d is %s, not %s".formatted(what, name, i, values[i], right[i]));
        }
      }
    });
  }

  /** Normally distributed values for every input and parameter; masks hide some keys. */
  static Map<String, Tensor> tensors(Graph graph) {
    Random random = new Random(1);
    Map<String, Tensor> tensors = new HashMap<>();
    graph.parameters().forEach((name, value) -> tensors.put(name, normal(value.shape(), random)));
    graph
        .inputs()
        .forEach((name, value) -> {
          Tensor tensor = normal(value.shape(), random);
          if (name.equals("mask")) {
            float[] mask = tensor.toFloats();
            for (int i = 0; i < mask.length; i++) {
              mask[i] = i == 0 || mask[i] > 0 ? 1 : 0;
            }
            tensor = Tensor.of(value.shape(), mask);
          }
          tensors.put(name, tensor);
        });
    return tensors;
  }

  static Tensor normal(Shape shape, Random random) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(shape, values);
  }
}
