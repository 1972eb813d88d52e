package dev.tessera.engine.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Precision;
import dev.tessera.engine.Variables;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import dev.tessera.train.Loss;
import dev.tessera.train.Optimizer;
import dev.tessera.train.ParameterRule;
import dev.tessera.train.TrainingStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** What stays on the device from run to run is what everybody else sees. */
class ResidentVariablesTest {
  private static final int BATCH = 6;
  private static final int WIDTH = 5;

  /** A training on a device and one on the scalar engine, of the same model with the same data. */
  private record Pair(TrainingStep actual, TrainingStep expected) {
    static Pair compile(Engine engine, Engine scalar, int accumulationSteps) {
      return new Pair(training(engine, accumulationSteps), training(scalar, accumulationSteps));
    }

    void run(int seed) {
      Map<String, Tensor> batch = new LinkedHashMap<>();
      batch.put("x", normal(Shape.of(BATCH, WIDTH), seed));
      batch.put(TrainingStep.TARGETS, Tensor.of(Shape.of(BATCH), 3f, 1, -1, 0, 2, 2));
      assertThat(actual.run(batch, 0.01, 0).loss())
          .as("loss of run %d", seed)
          .isCloseTo(expected.run(batch, 0.01, 0).loss(), within(1e-5));
    }

    void compare() {
      for (String name : expected.variables().names()) {
        assertThat(actual.variables().get(name))
            .as(name)
            .containsExactly(expected.variables().get(name), within(2e-5f));
      }
    }
  }

  private static TrainingStep training(Engine engine, int accumulationSteps) {
    Graph graph = model();
    Map<String, ParameterRule> rules = new HashMap<>();
    graph
        .parameters()
        .keySet()
        .forEach(name -> rules.put(name, new ParameterRule(true, 0.5, 0.1, false)));
    return TrainingStep.compile(
        engine,
        graph,
        new Loss.CrossEntropy(0),
        TornadoEngineTest.tensors(graph),
        rules,
        new TrainingStep.Settings(new Optimizer.AdamW(0.9, 0.99, 1e-6), 0.5, 0.9),
        accumulationSteps);
  }

  private static Graph model() {
    GraphBuilder g = new GraphBuilder();
    Value x = g.input("x", Shape.of(BATCH, WIDTH));
    g.output("logits", g.linear(g.activate(Activation.GELU, g.linear(x, "a", 9)), "b", 4));
    return g.build();
  }

  private static Tensor normal(Shape shape, int seed) {
    return TornadoEngineTest.normal(shape, new Random(seed));
  }

  @ParameterizedTest
  @ValueSource(ints = {Partition.MAX_TASKS, 20, 7, 2})
  void staysUntilItIsRead(int maxTasks) {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Engine scalar = new ScalarEngine()) {
        Pair pair = Pair.compile(engine, scalar, 1);
        Variables variables = pair.actual().variables();
        float[] held = variables.get("a.weight");
        float[] before = held.clone();
        pair.run(0);
        pair.run(1);
        // 4 parameters, each with two moments and an average.
        assertThat(engine.executables().getFirst().residents()).hasSize(16);
        assertThat(held).isEqualTo(before);
        assertThat(variables.get("a.weight")).isSameAs(held).isNotEqualTo(before);
        pair.compare();
        pair.run(2);
        pair.run(3);
        pair.compare();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Partition.MAX_TASKS, 7})
  void whatTheHostWritesIsUploaded(int maxTasks) {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Engine scalar = new ScalarEngine()) {
        Pair pair = Pair.compile(engine, scalar, 1);
        for (int run = 0; run < 6; run++) {
          if (run % 3 != 0) { // twice before a run, and once a run goes before
            for (TrainingStep step : List.of(pair.actual(), pair.expected())) {
              step.variables().get("b.bias")[2] = run;
              step.variables().under("ema/").get("a.bias")[0] = -run;
            }
          }
          pair.run(run);
        }
        pair.compare();
      }
    }
  }

  @Test
  void staysWithTheHostAfterTheDevice() {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine scalar = new ScalarEngine()) {
        Pair pair;
        try (Engine engine = new TornadoEngine(probe, Precision.FP32)) {
          pair = Pair.compile(engine, scalar, 1);
          pair.run(0);
        }
        pair.compare();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Partition.MAX_TASKS, 7})
  void otherGraphsSeeIt(int maxTasks) {
    Graph model = model();
    Graph varying = model.varying(model.parameters().keySet());
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (Engine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Engine scalar = new ScalarEngine()) {
        Pair pair = Pair.compile(engine, scalar, 1);
        Executable actual = engine.compile(varying, Map.of(), pair.actual().variables());
        Executable expected = scalar.compile(varying, Map.of(), pair.expected().variables());
        for (int run = 0; run < 4; run++) {
          pair.run(run);
          Map<String, Tensor> x = Map.of("x", normal(Shape.of(BATCH, WIDTH), -run));
          assertThat(actual.run(x).get("logits").toFloats())
              .containsExactly(expected.run(x).get("logits").toFloats(), within(2e-5f));
        }
        pair.compare();
      }
    }
  }

  /** As in a validation: many batches between two changes. */
  @ParameterizedTest
  @ValueSource(ints = {Partition.MAX_TASKS, 1})
  void whatIsOnlyReadIsUploadedWhenItChanged(int maxTasks) {
    Graph model = model();
    Graph varying = model.varying(model.parameters().keySet());
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Engine scalar = new ScalarEngine()) {
        KernelTimes times = new KernelTimes();
        engine.profile(times);
        Variables variables = Variables.copyOf(TornadoEngineTest.tensors(model));
        Executable actual = engine.compile(varying, Map.of(), variables);
        Executable expected = scalar.compile(varying, Map.of(), variables);
        for (int run = 0; run < 6; run++) {
          if (run % 3 == 0) {
            variables.get("b.weight")[run] = 5;
          }
          Map<String, Tensor> x = Map.of("x", normal(Shape.of(BATCH, WIDTH), run));
          times.clear();
          assertThat(actual.run(x).get("logits").toFloats())
              .as("run %d", run)
              .containsExactly(expected.run(x).get("logits").toFloats(), within(2e-5f));
          if (TornadoTestEngines.simulated() && run > 0) {
            assertThat(times.bytesIn()).isEqualTo(4L * BATCH * WIDTH);
          }
        }
      }
    }
  }

  /** Two trainings of the same variables, of which the second is not known to the first at once. */
  @Test
  void otherGraphsChangeIt() {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        Pair pair = Pair.compile(engine, scalar, 1);
        pair.run(0);
        Graph doubling = doubling();
        Executable actual = engine.compile(doubling, Map.of(), pair.actual().variables());
        Executable expected = scalar.compile(doubling, Map.of(), pair.expected().variables());
        for (int run = 1; run < 4; run++) {
          actual.run(Map.of());
          expected.run(Map.of());
          pair.run(run);
        }
        assertThat(engine.executables().getLast().residents()).isEmpty();
        pair.compare();
      }
    }
  }

  private static Graph doubling() {
    GraphBuilder g = new GraphBuilder();
    Value bias = g.variable("a.bias", Shape.of(9));
    g.update(new UpdateOp.Accumulate(bias, bias, 1));
    return g.build();
  }

  @Test
  void sumsOfGradientsComeAndGo() {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        Pair pair = Pair.compile(engine, scalar, 2);
        for (int run = 0; run < 6; run++) {
          pair.run(run);
        }
        Map<Integer, Integer> residents = new HashMap<>();
        engine.executables().forEach(e -> residents.merge(e.residents().size(), 1, Integer::sum));
        assertThat(residents).containsOnly(Map.entry(0, 1), Map.entry(16, 1));
        pair.compare();
      }
    }
  }

  @Test
  void laterRunsCopyInputsAndOutputsOnly() {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32);
          Engine scalar = new ScalarEngine()) {
        KernelTimes times = new KernelTimes();
        engine.profile(times);
        Pair pair = Pair.compile(engine, scalar, 1);
        pair.run(0);
        int inputs = BATCH * WIDTH + BATCH + 3; // the last is the schedule
        assertThat(times.bytesIn()).isGreaterThan(16L * inputs);
        times.clear();
        pair.run(1);
        int outputs = BATCH * 4 + 1 + 2; // logits, loss, and the norm with its factor
        assertThat(times.bytesIn()).isEqualTo(4L * inputs);
        assertThat(times.bytesOut())
            .isEqualTo(TornadoTestEngines.measuresCopiesToTheHost(probe) ? 4L * outputs : 0);
      }
    }
  }

  public static void countTo(KernelContext context, FloatArray x, int limit) {
    if (context.globalIdx == 0) {
      x.set(0, x.get(0) + 1);
      if (x.get(0) > limit) {
        throw new IllegalStateException("a fault of the device");
      }
    }
  }

  @Test
  void whatAFailureTookAlongIsNotSaidToBeThere() {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    FloatArray array = new FloatArray(1);
    Step step =
        new Step(
            "count",
            new WorkerGrid1D(1),
            List.of(array),
            List.of(array),
            new Step.Work("", 0, 0),
            (graph, id) ->
                graph.task(id, ResidentVariablesTest::countTo, new KernelContext(), array, 2));
    Variables variables = Variables.of(Map.of("count", new float[1]));
    try (TornadoEngine engine =
        new TornadoEngine(TornadoTestEngines.probes().getFirst(), Precision.FP32)) {
      TornadoExecutable executable =
          new TornadoExecutable(
              engine,
              List.of(step),
              Set.of(),
              List.of(),
              List.of(
                  new Deployment.Variable(variables.variable("count", Shape.of(1)), array, true)),
              Map.of());
      executable.run(Map.of());
      executable.run(Map.of());
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> executable.run(Map.of()))
            .isInstanceOf(DeviceFailure.class)
            .hasMessageContaining("a fault of the device");
        assertThatThrownBy(() -> variables.get("count"))
            .isInstanceOf(DeviceFailure.class)
            .hasMessageContaining("a fault of the device");
      }
      executable.close();
    }
  }

  @Test
  void aFirstRunThatFailsChangesNothing() {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    System.setProperty("tornado.device.memory", "100");
    Pair pair;
    try (Engine engine = new TornadoEngine(TornadoTestEngines.probes().getFirst(), Precision.FP32);
        Engine scalar = new ScalarEngine()) {
      pair = Pair.compile(engine, scalar, 1);
      assertThatThrownBy(() -> pair.run(0))
          .isInstanceOf(DeviceFailure.class)
          .hasMessageContaining("not enough memory");
      pair.compare();
      System.clearProperty("tornado.device.memory");
      pair.run(0);
      pair.compare();
    } finally {
      System.clearProperty("tornado.device.memory");
    }
  }

  public static void increment(KernelContext context, FloatArray x) {
    if (context.globalIdx == 0) {
      x.set(0, x.get(0) + 1);
    }
  }

  private static Step step(int position, FloatArray array) {
    return new Step(
        "increment" + position,
        new WorkerGrid1D(1),
        List.of(array),
        List.of(array),
        new Step.Work("", 0, 0),
        (graph, id) ->
            graph.task(id, ResidentVariablesTest::increment, new KernelContext(), array));
  }

  /** 310 variables that the first graphs use and the last ones, and 20 that one uses. */
  @Test
  void theLargestStayWhereThereIsNoRoomForAll() {
    Map<String, float[]> values = new LinkedHashMap<>();
    List<FloatArray> arrays = new ArrayList<>();
    for (int i = 0; i < 330; i++) {
      int length = i < 310 ? i + 1 : 1;
      values.put("v" + i, new float[length]);
      arrays.add(new FloatArray(length));
    }
    Variables variables = Variables.of(values);
    List<Step> steps = new ArrayList<>();
    arrays.forEach(array -> steps.add(step(steps.size(), array)));
    arrays.subList(0, 310).forEach(array -> steps.add(step(steps.size(), array)));
    DeviceProbe probe = TornadoTestEngines.probes().getFirst();
    try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32)) {
      List<Deployment.Variable> bound = new ArrayList<>();
      values.forEach((name, value) ->
          bound.add(
              new Deployment.Variable(
                  variables.variable(name, Shape.of(value.length)),
                  arrays.get(bound.size()),
                  true)));
      TornadoExecutable executable =
          new TornadoExecutable(engine, steps, Set.of(), List.of(), bound, Map.of());
      executable.run(Map.of());
      executable.run(Map.of());
      assertThat(executable.residents())
          .containsExactlyInAnyOrderElementsOf(bound.subList(10, 330));
      for (int i = 0; i < 330; i++) {
        assertThat(variables.get("v" + i)[0]).as("v%d", i).isEqualTo(i < 310 ? 4 : 2);
      }
      executable.close();
    }
  }
}
