package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.cpu.FixedKernels;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.engine.tornado.TornadoTestEngines;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Whole trainings against PyTorch's, step by step. */
class GoldenTrainingTest {
  private static final Path VIT = Path.of("test/resources/training/vit");
  private static final int LAYERS = 3;
  private static final Engine CPU = FixedKernels.vectorised(2);
  private static final List<Engine> ENGINES = List.of(new ScalarEngine(), CPU);
  private static final List<Engine> DEVICES = List.copyOf(TornadoTestEngines.all().values());
  private static final TrainingStep.Settings ADAMW =
      new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 0, 0);

  @AfterAll
  static void close() {
    ENGINES.forEach(Engine::close);
    DEVICES.forEach(Engine::close);
  }

  @Test
  void vitHeadOnly() throws IOException {
    compareVit(
        ENGINES,
        VIT.resolve("expected_head_only.safetensors"),
        ADAMW,
        name ->
            name.startsWith("classifier")
                ? new ParameterRule(true, 1, decay(name))
                : ParameterRule.FROZEN);
  }

  @Test
  void vitWithLearningRatesByLayer() throws IOException {
    List<Engine> engines = new ArrayList<>(DEVICES);
    engines.add(CPU);
    compareVit(
        engines,
        VIT.resolve("expected_llrd.safetensors"),
        new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 1, 0),
        name -> new ParameterRule(true, Math.pow(0.75, LAYERS + 1 - depth(name)), decay(name)));
  }

  @Test
  void vitWhole() throws IOException {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    // Tests run in the module; the folder is named from the repository's root, one above.
    Path file =
        Path.of("..")
            .resolve(configured)
            .resolve("golden/open/train-vit/expected_full.safetensors");
    assumeThat(file).as("skipped: it is not in TESSERA_SHARED or ../shared").exists();
    compareVit(List.of(CPU), file, ADAMW, name -> new ParameterRule(true, 1, decay(name)));
  }

  @Test
  void bertOnMaskedWords() throws IOException {
    Path folder = Path.of("test/resources/training/bert-mlm");
    Shape tokens = Shape.of(6, 12);
    try (Model model = Models.load(folder);
        Safetensors batches = Safetensors.open(folder.resolve("batches.safetensors"));
        Safetensors reference = Safetensors.open(folder.resolve("expected.safetensors"))) {
      Map<String, ParameterRule> rules = new LinkedHashMap<>();
      model
          .parameters()
          .forEach((name, tensor) -> {
            boolean decays = name.endsWith("weight") && tensor.shape().rank() >= 2;
            rules.put(name, new ParameterRule(true, 1, decays ? 0.01 : 0));
          });
      TrainingStep.Settings settings =
          new TrainingStep.Settings(new Optimizer.AdamW(0.9, 0.999, 1e-6), 1, 0);
      TrainingStep step =
          TrainingStep.compile(
              CPU,
              model.graph(Map.of("input_ids", tokens, "attention_mask", tokens), Outputs.RESULT),
              new Loss.CrossEntropy(0),
              model.parameters(),
              rules,
              settings,
              1);
      compareSteps(
          reference,
          step,
          i -> {
            Map<String, Tensor> batch = new LinkedHashMap<>();
            for (String name : List.of("input_ids", "attention_mask", "labels")) {
              Tensor tensor = batches.tensors().get(name).slice(i, i + 1).reshape(tokens);
              batch.put(name.equals("labels") ? TrainingStep.TARGETS : name, tensor);
            }
            return batch;
          });
    }
  }

  /** Two halves of a batch make the update that the batch makes. */
  @Test
  void accumulatedGradientsAreThoseOfTheWholeBatch() throws IOException {
    try (Model model = Models.load(VIT);
        Safetensors batches = Safetensors.open(VIT.resolve("batches.safetensors"))) {
      Map<String, ParameterRule> rules = new LinkedHashMap<>();
      model.parameters().keySet().forEach(name -> rules.put(name, new ParameterRule(true, 1, 0.1)));
      TrainingStep whole = step(CPU, model, 8, rules, 1);
      TrainingStep halves = step(CPU, model, 4, rules, 2);
      for (int i = 0; i < 3; i++) {
        Map<String, Tensor> batch = batch(batches, i);
        double norm = whole.run(batch, 1e-3, 0).gradientNorm();
        assertThat(halves.run(part(batch, 0, 4), 1e-3, 0).gradientNorm()).isNaN();
        assertThat(halves.run(part(batch, 4, 8), 1e-3, 0).gradientNorm())
            .isCloseTo(norm, within(1e-4 * norm));
      }
      for (String name : rules.keySet()) {
        if (!name.endsWith("key.bias")) {
          assertClose(name, halves.variables().get(name), whole.variables().get(name), 2e-5);
        }
      }
    }
  }

  private static TrainingStep step(
      Engine engine, Model model, int batch, Map<String, ParameterRule> rules, int accumulation) {
    Graph forward = model.graph(batch, 32, 32, Outputs.RESULT);
    return TrainingStep.compile(
        engine,
        forward,
        new Loss.CrossEntropy(0),
        model.parameters(),
        rules,
        new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 1, 0.9),
        accumulation);
  }

  private static Map<String, Tensor> part(Map<String, Tensor> batch, int from, int to) {
    Map<String, Tensor> part = new LinkedHashMap<>();
    batch.forEach((name, tensor) -> part.put(name, tensor.slice(from, to)));
    return part;
  }

  private static double decay(String name) {
    boolean matrix =
        name.endsWith("weight") && !name.contains("layernorm") && !name.contains("norm");
    return matrix ? 0.05 : 0;
  }

  private static int depth(String name) {
    Matcher block = Pattern.compile("\\.layer\\.(\\d+)\\.").matcher(name);
    if (name.contains("embeddings")) {
      return 0;
    }
    return block.find() ? Integer.parseInt(block.group(1)) + 1 : LAYERS + 1;
  }

  private static void compareVit(
      List<Engine> engines,
      Path expected,
      TrainingStep.Settings settings,
      Function<String, ParameterRule> rule)
      throws IOException {
    for (Engine engine : engines) {
      try (Model model = Models.load(VIT);
          Safetensors batches = Safetensors.open(VIT.resolve("batches.safetensors"));
          Safetensors reference = Safetensors.open(expected)) {
        Map<String, ParameterRule> rules = new LinkedHashMap<>();
        model.parameters().keySet().forEach(name -> rules.put(name, rule.apply(name)));
        Graph forward = model.graph(8, 32, 32, Outputs.RESULT);
        TrainingStep step =
            TrainingStep.compile(
                engine, forward, new Loss.CrossEntropy(0), model.parameters(), rules, settings, 1);
        compareSteps(reference, step, i -> batch(batches, i));
      }
    }
  }

  private static void compareSteps(
      Safetensors reference, TrainingStep step, IntFunction<Map<String, Tensor>> batches) {
    float[] losses = reference.tensors().get("loss").toFloats();
    float[] norms = reference.tensors().get("grad_norm").toFloats();
    float[] rates = reference.tensors().get("lr").toFloats();
    for (int i = 0; i < losses.length; i++) {
      TrainingStep.Result result = step.run(batches.apply(i), rates[i], 0);
      assertThat(result.loss()).as("loss of step %d", i).isCloseTo(losses[i], within(1e-4));
      assertThat(result.gradientNorm())
          .as("gradient norm of step %d", i)
          .isCloseTo(norms[i], within(1e-3 * norms[i]));
    }
    compareParameters(reference, step, losses.length, rates);
  }

  private static void compareParameters(
      Safetensors reference, TrainingStep step, int steps, float[] rates) {
    double greatest = 0;
    for (float rate : rates) {
      greatest = Math.max(greatest, rate);
    }
    int compared = 0;
    for (Map.Entry<String, Tensor> entry : reference.tensors().entrySet()) {
      if (entry.getKey().startsWith("final.")) {
        String name = entry.getKey().substring("final.".length());
        double tolerance = name.endsWith("key.bias") ? 2 * steps * greatest : 1e-4;
        assertClose(name, step.variables().get(name), entry.getValue().toFloats(), tolerance);
        compared++;
      }
    }
    assertThat(compared)
        .isEqualTo(
            (int) step.variables().names().stream().filter(n -> !n.startsWith("opt")).count());
  }

  private static Map<String, Tensor> batch(Safetensors batches, int step) {
    Tensor images = batches.tensors().get("images_u8").slice(step, step + 1);
    float[] bytes = images.toFloats();
    int size = 32 * 32;
    float[] pixels = new float[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      int image = i / (3 * size);
      int place = i % (3 * size) / 3;
      pixels[(image * 3 + i % 3) * size + place] = (bytes[i] / 255 - 0.5f) / 0.5f;
    }
    Tensor labels = batches.tensors().get("labels").slice(step, step + 1).reshape(Shape.of(8));
    return Map.of(
        "pixel_values", Tensor.of(Shape.of(8, 3, 32, 32), pixels), TrainingStep.TARGETS, labels);
  }

  private static void assertClose(String name, float[] actual, float[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("%s, element %d", name, i)
          .isCloseTo(expected[i], within(tolerance));
    }
  }
}
