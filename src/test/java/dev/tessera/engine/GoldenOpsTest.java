package dev.tessera.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.cpu.FixedKernels;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.engine.tornado.TornadoTestEngines;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Backward;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every operation and its gradients against PyTorch's, alone in a graph, on every engine. */
class GoldenOpsTest {
  /** What the fixtures ask for, absolute plus relative. */
  private static final double TOLERANCE = 1e-5;

  private static final double GRADIENT_TOLERANCE = 2e-5;
  private static final double GRADIENT_RELATIVE_TOLERANCE = 1e-4;

  /**
   * Of devices where 394 terms of up to 20 add up to nothing: a softmax's gradients there are as
   * far from zero as rounding each query's sum to single precision takes them, 2.2e-5.
   */
  private static final double VANISHING_SUM_TOLERANCE = 3e-5;

  private static final Path OPS = Path.of("test/resources/ops");

  private static final Map<String, Engine> HOST =
      Map.of(
          "scalar", new ScalarEngine(),
          "cpu, plain loops", FixedKernels.plain(2),
          "cpu, vectors", FixedKernels.vectorised(3));

  private static final Map<String, Engine> ENGINES = new HashMap<>(HOST);

  static {
    ENGINES.putAll(TornadoTestEngines.all());
  }

  @AfterAll
  static void close() {
    ENGINES.values().forEach(Engine::close);
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "linear_nobias"})
  void linear(String name) throws IOException {
    try (Case op = new Case(OPS, name)) {
      Value bias = op.holds("bias") ? op.parameter("bias") : null;
      op.check(op.graph.linear(op.input("x"), op.parameter("weight"), bias));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "embedding")
  void embedding(String name) throws IOException {
    try (Case op = new Case(OPS, name)) {
      op.check(op.graph.embedding(op.input("ids"), op.parameter("weight")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e-5", "1e-6", "1e-12", "small_1e-6"})
  void layerNorm(String name) throws IOException {
    try (Case op = new Case(OPS, "layer_norm_" + name)) {
      float epsilon = Float.parseFloat(name.replace("small_", ""));
      op.rename("weight", "norm.weight");
      op.rename("bias", "norm.bias");
      op.check(op.graph.layerNorm(op.input("x"), "norm", epsilon));
    }
  }

  @Test
  void rmsNorm() throws IOException {
    try (Case op = new Case(OPS, "rms_norm_1e-6")) {
      op.rename("weight", "norm.weight");
      op.check(op.graph.rmsNorm(op.input("x"), "norm", 1e-6f));
    }
  }

  @Test
  void l2Normalize() throws IOException {
    try (Case op = new Case(OPS, "l2_normalize")) {
      op.check(op.graph.l2Normalize(op.input("x"), 1e-12f));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"softmax", "softmax_large"})
  void softmax(String name) throws IOException {
    try (Case op = new Case(OPS, name)) {
      op.check(op.graph.softmax(op.input("x")));
    }
  }

  @Test
  void logSoftmax() throws IOException {
    try (Case op = new Case(OPS, "log_softmax")) {
      op.check(op.graph.logSoftmax(op.input("x")));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "cross_entropy, target, 0",
    "cross_entropy_smooth0.1, target, 0.1",
    "cross_entropy_ignore, target, 0",
    "cross_entropy_soft, target_probs, 0"
  })
  void crossEntropy(String name, String targets, float smoothing) throws IOException {
    try (Case op = new Case(OPS, name)) {
      op.check(op.graph.crossEntropy(op.input("x"), op.input(targets), smoothing));
    }
  }

  @Test
  void meanSquaredError() throws IOException {
    try (Case op = new Case(OPS, "mse")) {
      op.check(op.graph.meanSquaredError(op.input("x"), op.input("target")));
    }
  }

  @ParameterizedTest
  @EnumSource(value = Activation.class, mode = EnumSource.Mode.EXCLUDE, names = "IDENTITY")
  void activation(Activation activation) throws IOException {
    try (Case op = new Case(OPS, activation.name().toLowerCase(Locale.ROOT))) {
      op.check(op.graph.activate(activation, op.input("x")));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "h1_s1_none",
        "h1_s1_causal",
        "h3_s1_none",
        "h3_s1_causal",
        "h1_s17_none",
        "h1_s17_causal",
        "h1_s17_keypad",
        "h3_s17_none",
        "h3_s17_causal",
        "h3_s17_keypad",
        "h12_s17_none",
        "h12_s17_causal",
        "h12_s17_keypad"
      })
  void attention(String name) throws IOException {
    attention(OPS, name, false);
  }

  /**
   * Of a ViT's length; too large to be copied beside the tests. PyTorch's own gradients are up to
   * 5.7e-5 from those in double precision here, more than the tolerance, so the cpu engine's are
   * compared with the scalar engine's, which are within the tolerance of both.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "h3_s197_none",
        "h3_s197_causal",
        "h3_s197_keypad",
        "h12_s197_none",
        "h12_s197_causal",
        "h12_s197_keypad"
      })
  void longAttention(String name) throws IOException {
    String configured =
        System.getProperty(
            "TESSERA_SHARED", System.getenv().getOrDefault("TESSERA_SHARED", "../shared"));
    // Tests run in the module; the folder is named from the repository's root, one above.
    Path folder = Path.of("..").resolve(configured).resolve("golden/open/ops");
    assumeThat(folder).as("skipped: it is not in TESSERA_SHARED or ../shared").exists();
    attention(folder, name, true);
  }

  private static void attention(Path folder, String name, boolean gradientsOfScalar)
      throws IOException {
    try (Case op = new Case(folder, "mha_" + name)) {
      int heads = Integer.parseInt(name.substring(1, name.indexOf('_')));
      GraphBuilder graph = op.graph;
      Value x = op.input("x");
      int hidden = x.shape().last();
      Value weight = op.parameter("in_proj_weight");
      Value bias = op.parameter("in_proj_bias");
      Value[] projected = new Value[3];
      for (int i = 0; i < 3; i++) {
        int from = i * hidden;
        projected[i] =
            graph.linear(
                x,
                graph.slice(weight, 0, from, from + hidden),
                graph.slice(bias, 0, from, from + hidden));
      }
      Value mask = null;
      if (name.endsWith("keypad")) {
        op.invert("key_padding_mask");
        mask = op.input("key_padding_mask");
      }
      boolean causal = name.endsWith("causal");
      Value context =
          graph.attention(projected[0], projected[1], projected[2], mask, heads, causal);
      Value output =
          graph.linear(context, op.parameter("out_proj_weight"), op.parameter("out_proj_bias"));
      op.check(output, gradientsOfScalar);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "patch_conv")
  void patches(String name) throws IOException {
    try (Case op = new Case(OPS, name)) {
      GraphBuilder graph = op.graph;
      Value weight = op.parameter("weight");
      Shape kernel = weight.shape();
      Value patches = graph.patches(op.input("x"), kernel.extent(2), kernel.extent(3));
      Value matrix =
          graph.reshape(
              weight, Shape.of(kernel.extent(0), (int) kernel.elements() / kernel.extent(0)));
      op.check(graph.linear(patches, matrix, op.parameter("bias")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"4x4_to_5x7", "4x4_to_6x6", "7x7_to_3x4"})
  void positions(String name) throws IOException {
    try (Case op = new Case(OPS, "pos_bicubic_" + name)) {
      Matcher sizes = Pattern.compile("(\\d+)x(\\d+)_to_(\\d+)x(\\d+)").matcher(name);
      assertThat(sizes.matches()).isTrue();
      int[] size = new int[4];
      for (int i = 0; i < 4; i++) {
        size[i] = Integer.parseInt(sizes.group(i + 1));
      }
      // PyTorch has the features first, a model's position embeddings have them last.
      op.featuresLast("pos");
      op.featuresLast("output");
      op.featuresLast("grad_pos");
      op.featuresLast("grad_output");
      Value grid = op.parameter("pos");
      // On devices a model's positions are resized before they are uploaded.
      op.check(
          op.graph.resizePositions(grid, size[0], size[1], size[2], size[3], false), HOST, false);
    }
  }

  /** One file of the fixtures and the graph that must compute its {@code output}. */
  private static final class Case implements AutoCloseable {
    final GraphBuilder graph = new GraphBuilder();
    private final String name;
    private final Safetensors file;
    private final Map<String, Tensor> tensors;

    Case(Path folder, String name) throws IOException {
      this.name = name;
      this.file = Safetensors.open(folder.resolve(name + ".safetensors"));
      this.tensors = new HashMap<>(file.tensors());
    }

    boolean holds(String tensor) {
      return tensors.containsKey(tensor);
    }

    Value input(String tensor) {
      return graph.input(tensor, tensors.get(tensor).shape());
    }

    Value parameter(String tensor) {
      return graph.parameter(tensor, tensors.get(tensor).shape());
    }

    /** Under the name that the graph has for it, its gradient likewise. */
    void rename(String from, String to) {
      tensors.put(to, tensors.remove(from));
      tensors.put("grad_" + to, tensors.remove("grad_" + from));
    }

    /** Ones for zeros: PyTorch's mask says what to ignore, a graph's what to see. */
    void invert(String tensor) {
      float[] mask = tensors.get(tensor).toFloats();
      for (int i = 0; i < mask.length; i++) {
        mask[i] = 1 - mask[i];
      }
      tensors.put(tensor, Tensor.of(tensors.get(tensor).shape(), mask));
    }

    /** {@code [1, features, rows, columns]} to {@code [1, rows·columns, features]}. */
    void featuresLast(String tensor) {
      Shape shape = tensors.get(tensor).shape();
      int features = shape.extent(1);
      int positions = shape.extent(2) * shape.extent(3);
      float[] from = tensors.get(tensor).toFloats();
      float[] to = new float[from.length];
      for (int i = 0; i < from.length; i++) {
        to[i % positions * features + i / positions] = from[i];
      }
      tensors.put(tensor, Tensor.of(Shape.of(1, positions, features), to));
    }

    void check(Value output) {
      check(output, false);
    }

    void check(Value output, boolean gradientsOfScalar) {
      check(output, ENGINES, gradientsOfScalar);
    }

    /**
     * Compares with the file.
     *
     * @param gradientsOfScalar whether the other engines' gradients are compared with the scalar
     *     engine's instead; the devices' always are, since PyTorch's may err in one direction and
     *     theirs in the other
     */
    void check(Value output, Map<String, Engine> engines, boolean gradientsOfScalar) {
      graph.output("output", output);
      Map<String, Value> gradients = gradients(output);
      gradients.forEach((wanted, gradient) -> graph.output("grad_" + wanted, gradient));
      Graph built = graph.build();
      Map<String, Tensor> parameters = new HashMap<>(tensors);
      Map<String, Tensor> scalar = ENGINES.get("scalar").compile(built, parameters).run(tensors);
      engines.forEach((engineName, engine) -> {
        boolean device = !HOST.containsKey(engineName);
        boolean oracle = device || (gradientsOfScalar && !engineName.equals("scalar"));
        double gradientTolerance =
            device && gradientsOfScalar ? VANISHING_SUM_TOLERANCE : GRADIENT_TOLERANCE;
        Map<String, Tensor> results = engine.compile(built, parameters).run(tensors);
        results.forEach((tensor, actual) -> {
          Tensor expected =
              oracle && !tensor.equals("output") ? scalar.get(tensor) : tensors.get(tensor);
          assertThat(actual.shape().elements()).isEqualTo(expected.shape().elements());
          assertClose(
              name + " on " + engineName + ", " + tensor,
              actual.toFloats(),
              expected.toFloats(),
              tensor.equals("output") ? TOLERANCE : gradientTolerance,
              tensor.equals("output") ? TOLERANCE : GRADIENT_RELATIVE_TOLERANCE);
        });
      });
    }

    /** Those of Σ output·grad_output, by all that the file holds a gradient of. */
    private Map<String, Value> gradients(Value output) {
      Map<String, Value> wanted = new HashMap<>();
      Graph forward = graph.build();
      tensors
          .keySet()
          .forEach(gradient -> {
            if (gradient.startsWith("grad_") && !gradient.equals("grad_output")) {
              String by = gradient.substring("grad_".length());
              Value value = forward.inputs().getOrDefault(by, forward.parameters().get(by));
              wanted.put(by, Objects.requireNonNull(value, by));
            }
          });
      assertThat(wanted).as("gradients in " + name).isNotEmpty();
      int elements = (int) output.shape().elements();
      Value weights = graph.parameter("grad_output", Shape.of(1, elements));
      Value loss = graph.linear(graph.reshape(output, Shape.of(1, elements)), weights, null);
      return Backward.of(graph, loss, wanted);
    }

    private static void assertClose(
        String what, float[] actual, float[] expected, double absolute, double relative) {
      for (int i = 0; i < expected.length; i++) {
        double tolerance = absolute + relative * Math.abs(expected[i]);
        if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
          throw new AssertionError(
              "%s: element %d is %s, not %s".formatted(what, i, actual[i], expected[i]));
        }
      }
    }

    @Override
    public void close() {
      file.close();
    }
  }
}
