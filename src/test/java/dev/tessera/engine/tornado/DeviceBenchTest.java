package dev.tessera.engine.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tessera.engine.Precision;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.NewVit;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.WorkerGrid1D;

/** Benchmarks of devices: the work of each kernel, the floors, and the table, on a tiny ViT. */
class DeviceBenchTest {
  private static final NewVit SIZES = new NewVit(15, 5, 3, 12, 2, 3, 1.5);
  private static final int BATCH = 3;
  private static final int TOKENS = 10;
  private static final int ROWS = BATCH * TOKENS;

  @TempDir Path folder;

  @BeforeEach
  void createModel() throws IOException {
    SIZES.create(folder, List.of("a", "b", "c", "d", "e"), 1).write(folder);
  }

  private static Map<String, Long> flops(List<Step> steps) {
    return steps.stream()
        .filter(step -> step.work().flops() > 0)
        .collect(
            Collectors.groupingBy(
                step -> KernelTable.kind(step) + " " + step.work().shape(),
                Collectors.summingLong(step -> step.work().flops())));
  }

  @Test
  void stepsOfAnInferenceSayWhatTheyMultiply() throws Exception {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32);
          Model model = Models.load(folder)) {
        List<Step> steps =
            DeviceWorkload.compile(engine, model, DeviceWorkload.Kind.INFERENCE, BATCH)
                .executable()
                .steps();
        assertThat(flops(steps))
            .containsOnly(
                Map.entry("linear 27×12×75", 2L * 27 * 12 * 75),
                // A block for all tokens, and one for the class token, which reads all.
                Map.entry("linear 30×12×12", 2L * (4 + 2) * ROWS * 12 * 12),
                Map.entry("linear 30×18×12", 2L * ROWS * 18 * 12),
                Map.entry("linear 30×12×18", 2L * ROWS * 12 * 18),
                Map.entry("attention 9 of 10×10×4", 2L * 2 * BATCH * TOKENS * TOKENS * 12),
                Map.entry("linear 3×12×12", 2L * 2 * BATCH * 12 * 12),
                Map.entry("linear 3×18×12", 2L * BATCH * 18 * 12),
                Map.entry("linear 3×12×18", 2L * BATCH * 12 * 18),
                Map.entry("attention 9 of 1×10×4", 2L * 2 * BATCH * TOKENS * 12),
                Map.entry("linear 3×5×12", 2L * BATCH * 5 * 12));
        // Arrays are shared, and some are larger than what is in them.
        assertThat(bytes(steps, "linear", "27×12×75"))
            .isEqualTo(4L * (27 * 75 + 12 * 75 + (probe.hasLibraries() ? 0 : 12) + 27 * 12));
        assertThat(bytes(steps, "layerNorm", "")).isEqualTo(4L * (2 * ROWS * 12 + 2 * 12));
        assertThat(bytes(steps, "patches", "")).isEqualTo(4L * (BATCH * 3 * 15 * 15 + 27 * 75));
      }
    }
  }

  @Test
  void halvesAreHalfTheBytes() throws Exception {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      if (probe.hasLibraries()) {
        try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP16);
            Model model = Models.load(folder)) {
          List<Step> steps =
              DeviceWorkload.compile(engine, model, DeviceWorkload.Kind.INFERENCE, BATCH)
                  .executable()
                  .steps();
          assertThat(flops(steps)).containsEntry("linear 27×12×75", 2L * 27 * 12 * 75);
          assertThat(bytes(steps, "linear", "27×12×75"))
              .isEqualTo(2L * (27 * 75 + 12 * 75) + 4L * 27 * 12);
        }
      }
    }
  }

  private static long bytes(List<Step> steps, String name, String shape) {
    return steps.stream()
        .filter(step -> KernelTable.kind(step).equals(name))
        .filter(step -> step.work().shape().equals(shape))
        .findFirst()
        .orElseThrow()
        .work()
        .bytes();
  }

  @Test
  void stepsOfATrainingSayWhatTheyMultiplyAndChange() throws Exception {
    try (TornadoEngine engine =
            new TornadoEngine(TornadoTestEngines.probes().getFirst(), Precision.FP32);
        Model model = Models.load(folder)) {
      List<Step> steps =
          DeviceWorkload.compile(engine, model, DeviceWorkload.Kind.TRAINING, BATCH)
              .executable()
              .steps();
      Map<String, Long> flops = flops(steps);
      long forward = 2L * (4 + 2) * ROWS * 12 * 12;
      long scores = 2L * BATCH * TOKENS * TOKENS * 12;
      assertThat(flops)
          .containsEntry("linear 30×12×12", forward)
          .containsEntry("linearInput 30×12×12", forward)
          .containsEntry("linearWeight 12×12×30", forward)
          .containsEntry("attentionStatistics 9 of 10×10×4", 2 * scores)
          .containsEntry("attentionQueries 9 of 10×10×4", 3 * scores)
          .containsEntry("attentionKeys 9 of 10×10×4", 4 * scores);
      long largest =
          steps.stream()
              .filter(step -> step.name().startsWith("adam"))
              .mapToLong(step -> step.work().bytes())
              .max()
              .orElseThrow();
      // The patches' weights, their gradient and two moments, of which three change; and settings.
      assertThat(largest - 4L * 7 * 12 * 75).isBetween(4L, 64L);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 250}) // several graphs; one, which CUDA would record
  void theProfileHasATimeForEachKernel(int maxTasks) throws Exception {
    for (DeviceProbe probe : TornadoTestEngines.probes()) {
      try (TornadoEngine engine = new TornadoEngine(probe, Precision.FP32, maxTasks);
          Model model = Models.load(folder)) {
        KernelTimes times = new KernelTimes();
        engine.profile(times);
        DeviceWorkload workload =
            DeviceWorkload.compile(engine, model, DeviceWorkload.Kind.INFERENCE, BATCH);
        double first = workload.run().getAsDouble();
        times.clear();
        for (int i = 0; i < 3; i++) {
          assertThat(workload.run().getAsDouble()).isEqualTo(first);
        }
        List<Step> steps = workload.executable().steps();
        assertThat(steps).hasSizeBetween(21, 250);
        assertThat(steps).allSatisfy(step -> assertThat(times.kernel(step.name())).isPositive());
        if (TornadoTestEngines.measuresCopiesToTheHost(probe)) {
          assertThat(times.bytesOut()).isGreaterThanOrEqualTo(4L * BATCH * 5);
        }
        assertThat(times.bytesIn()).isGreaterThanOrEqualTo(4L * BATCH * 3 * 15 * 15);
        double sum = steps.stream().mapToDouble(step -> times.kernel(step.name())).sum();
        KernelTable table =
            KernelTable.of(steps, times, 1000 + 2 * sum, new KernelTable.Floors(1e-6, 1e-6));
        assertThat(table.rows().getFirst().name())
            .isEqualTo(
                TornadoTestEngines.measuresCopiesToTheHost(probe)
                    ? "outside kernels and copies"
                    : "outside kernels, copies to the host");
        assertThat(table.all().calls()).isEqualTo(steps.size());
        assertThat(table.rows().stream().mapToDouble(KernelTable.Row::time).sum())
            .isCloseTo(1000 + 2 * sum, within(1e-6));
      }
    }
  }

  @Test
  void imagesAndResultsAreThoseOfTheScalarEngine() throws Exception {
    float[] pixels = new float[BATCH * 3 * 15 * 15];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = DeviceWorkload.pixel(i);
    }
    assertThat(pixels[0]).isEqualTo(-1);
    assertThat(pixels[7])
        .isEqualTo((float) (7 * 2654435761L % (1L << 32) / (double) (1L << 31) - 1));
    assertThat(DeviceWorkload.pixel(256L * 3 * 224 * 224)).isBetween(-1f, 1f);
    try (ScalarEngine scalar = new ScalarEngine();
        TornadoEngine engine =
            new TornadoEngine(TornadoTestEngines.probes().getFirst(), Precision.FP32);
        Model model = Models.load(folder)) {
      Tensor images = Tensor.of(Shape.of(BATCH, 3, 15, 15), pixels);
      float expected =
          scalar
              .compile(model.graph(BATCH, 15, 15, Outputs.RESULT), model.parameters())
              .run(Map.of("pixel_values", images))
              .get("logits")
              .toFloats()[0];
      DeviceWorkload workload =
          DeviceWorkload.compile(engine, model, DeviceWorkload.Kind.INFERENCE, BATCH);
      assertThat(workload.run().getAsDouble()).isCloseTo(expected, within(1e-5));
    }
  }

  private static Step step(String name, Step.Work work) {
    return new Step(name, new WorkerGrid1D(1), List.of(), List.of(), work, (_, _) -> {});
  }

  private static KernelTimes times() {
    KernelTimes times = new KernelTimes();
    for (int i = 1; i <= 3; i++) {
      times.accept(
          """
          { "p": { "COPY_IN_TIME": "9", "p.a0": { "TASK_KERNEL_TIME": "77" } } }
          { "p": { "COPY_IN_TIME": "%d00000", "TOTAL_COPY_IN_SIZE_BYTES": "2500000", "OTHER": "n/a",
            "p.product0": { "BACKEND": "OPENCL", "TASK_KERNEL_TIME": "%d000000" },
            "p.product1": { "TASK_KERNEL_TIME": "5000000" },
            "p.sum2": { "TASK_KERNEL_TIME": "250000", "METHOD": "Sums.sum" } } }
          """
              .formatted(i, 2 * i));
      times.accept(
          """
          { "q": { "COPY_IN_TIME": "300000", "COPY_OUT_TIME": "1", "TOTAL_COPY_OUT_SIZE_BYTES": "8" } }
          """);
    }
    return times;
  }

  private static final List<Step> STEPS =
      List.of(
          step("product0", new Step.Work("3×5×7", 4_000_000_000L, 1_000_000)),
          step("product1", new Step.Work("3×5×7", 4_000_000_000L, 3_000_000)),
          step("sum2", new Step.Work("", 0, 50_000_000)));

  @Test
  void floorsAreWhatTheDeviceCouldDoAtBest() {
    // 2 TFLOP/s: 2 ms for each product; 100 GB/s: 10 and 30 µs for these, 0.5 ms for the sum.
    KernelTable table = KernelTable.of(STEPS, times(), 12, new KernelTable.Floors(2, 100));
    assertThat(table.rows().stream().map(KernelTable.Row::name))
        .containsExactly(
            "product",
            "outside kernels and copies",
            "copies to the device",
            "copies to the host",
            "sum");
    KernelTable.Row product = table.rows().getFirst();
    assertThat(product.calls()).isEqualTo(2);
    assertThat(product.time()).isCloseTo(4 + 5, within(1e-9)); // medians
    assertThat(product.flopFloor()).isCloseTo(4, within(1e-9));
    assertThat(product.byteFloor()).isCloseTo(0.04, within(1e-9));
    assertThat(product.floor()).isCloseTo(4, within(1e-9));
    assertThat(product.lost()).isCloseTo(5, within(1e-9));
    KernelTable.Row copies = table.rows().get(2);
    assertThat(copies.what()).isEqualTo("2.5 MB");
    assertThat(copies.time()).isCloseTo(0.2 + 0.3, within(1e-9));
    KernelTable.Row sum = table.rows().getLast();
    assertThat(sum.what()).isEqualTo("50.0 MB");
    assertThat(sum.byteFloor()).isCloseTo(0.5, within(1e-9));
    assertThat(sum.lost()).isZero(); // 0.25 ms: out of a cache
    assertThat(table.all().floor()).isCloseTo(4.5, within(1e-9));
    assertThat(table.next())
        .isEqualTo(
            "Most to gain: product 3×5×7 (2 of 3 kernels), of whose 9.00 ms 5.00 are over the"
                + " floor that its operations set, 42 % of a run.");
  }

  @Test
  void withoutFloorsTheLongestComesFirst() {
    KernelTable table = KernelTable.of(STEPS, times(), 40, KernelTable.Floors.UNKNOWN);
    assertThat(table.next())
        .isEqualTo("Most time: outside kernels and copies, 30.25 ms, 76 % of a run.");
    // Runs that are profiled may take longer than the others.
    KernelTable slower = KernelTable.of(STEPS, times(), 9, KernelTable.Floors.UNKNOWN);
    assertThat(slower.next())
        .isEqualTo("Most time: product 3×5×7 (2 of 3 kernels), 9.00 ms, 100 % of a run.");
  }

  @Test
  void aKernelWithoutATimeIsAnError() {
    assertThatThrownBy(() ->
            KernelTable.of(
                List.of(step("lost9", new Step.Work("", 0, 1))),
                times(),
                1,
                KernelTable.Floors.UNKNOWN))
        .hasMessageContaining("lost9");
  }

  private List<String> serve(String requests, String... arguments) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      DeviceBench.serve(arguments, new BufferedReader(new StringReader(requests)), out);
    }
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static String device() {
    return TornadoTestEngines.probes().getLast().name();
  }

  @ParameterizedTest
  @EnumSource(DeviceWorkload.Kind.class)
  void answersInLines(DeviceWorkload.Kind kind) throws Exception {
    List<String> lines =
        serve(
            "run 2\nprofile 2 50 1 1\n",
            device(),
            kind.toString().toLowerCase(Locale.ROOT),
            "nano",
            "0",
            "2",
            "fp32",
            folder.toString(),
            "profile");
    List<String> kinds = lines.stream().map(line -> line.split("\t", -1)[0]).toList();
    assertThat(kinds).startsWith("device", "ready", "time", "row").endsWith("row", "next");
    assertThat(lines.get(0)).contains(device());
    assertThat(lines.stream().filter(line -> line.startsWith("row")))
        .allSatisfy(line -> assertThat(line.split("\t")).hasSize(9));
    assertThat(lines.get(lines.size() - 2)).startsWith("row\ta run\t\t");
  }

  @Test
  void makesTheModelThatIsMissing() throws Exception {
    Path missing = folder.resolve("made");
    List<String> lines =
        serve("", device(), "inference", "nano", "8", "1", "fp32", missing.toString());
    assertThat(lines.getLast()).startsWith("ready\t");
    try (Model model = Models.load(missing)) {
      assertThat(List.of(model.height(), model.layers(), model.labels().size()))
          .containsExactly(8, 4, 1000);
    }
  }

  @Test
  void saysWhatItCannotDo() throws Exception {
    String here = folder.toString();
    String elsewhere = folder.resolve("other").toString();
    Stream.of(
            Map.entry(
                List.of(device(), "inference", "nano", "0", "1", "bf16", here),
                "failed\tother\tthere is no precision bf16 here."),
            Map.entry(
                List.of(device(), "training", "nano", "0", "1", "fp16", here),
                "failed\tother\tfp16 is not for training."),
            Map.entry(
                List.of("cuda:99", "inference", "nano", "0", "1", "fp32", here),
                "failed\tother\tdevice cuda:99 is not there"),
            Map.entry(
                List.of(device(), "inference", "huge", "0", "1", "fp32", elsewhere),
                "failed\tother\tthere is no model vit-huge"),
            Map.entry(
                List.of(device(), "inference", "nano", "9", "1", "fp32", elsewhere),
                "failed\tother\tan image of 9 pixels"))
        .forEach(example -> {
          try {
            assertThat(serve("", example.getKey().toArray(String[]::new)).getLast())
                .startsWith(example.getValue());
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void aFullDeviceIsSaidToBeFull() throws Exception {
    assumeThat(TornadoTestEngines.simulated()).isTrue();
    System.setProperty("tornado.device.memory", "1MB");
    try {
      List<String> lines =
          serve("", device(), "training", "nano", "0", "99", "fp32", folder.toString());
      assertThat(lines.getLast()).startsWith("failed\tmemory\tdevice " + device());
    } finally {
      System.clearProperty("tornado.device.memory");
    }
  }
}
