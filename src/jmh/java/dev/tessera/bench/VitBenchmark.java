package dev.tessera.bench;

import ai.onnxruntime.OrtException;
import dev.tessera.engine.Executable;
import dev.tessera.engine.cpu.CpuEngine;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The whole forward pass of a Vision Transformer, on the cpu engine and on ONNX Runtime in turns:
 * one process, the same weights, the same pixels, the same number of threads, fp32. Ends with code
 * 1 where their logits differ.
 */
@Command(
    name = "vit.sh",
    mixinStandardHelpOptions = true,
    description = "Tessera's cpu engine beside ONNX Runtime, in turns, on the same ViT.")
public final class VitBenchmark implements Callable<Integer> {
  private static final double TOLERANCE = 1e-3;

  @Option(
      names = "--model",
      split = ",",
      defaultValue = "base",
      description =
          "tiny and base: ViT-Ti/16 and ViT-B/16 with random weights; or a model's directory"
              + " (default: base)")
  private List<String> models = List.of();

  @Option(names = "--batch", split = ",", defaultValue = "1,8", description = "default: 1,8")
  private List<Integer> batches = List.of();

  @Option(names = "--threads", defaultValue = "2", description = "default: 2")
  private int threads;

  @Option(names = "--rounds", defaultValue = "15", description = "measured pairs (default: 15)")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "3",
      description = "seconds that each side runs unmeasured (default: 3)")
  private double warmUp;

  @Option(
      names = "--onnx-attention",
      defaultValue = "exported",
      description = "exported (default), or fused into ONNX Runtime's own operator")
  private OnnxModel.Attention attention = OnnxModel.Attention.EXPORTED;

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new VitBenchmark())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  @Override
  public Integer call() throws IOException, OrtException {
    boolean agree = true;
    try (CpuEngine engine = new CpuEngine(threads)) {
      print("%s, JDK %s", engine.description(), Runtime.version());
      print(
          "ONNX Runtime %s, %d threads, all optimisations, attention %s",
          OnnxPeer.version(), threads, attention.name().toLowerCase(Locale.ROOT));
      print("%d rounds after %.0f s of warm-up; milliseconds a batch", rounds, warmUp);
      print("");
      print("             tessera           onnxruntime       onnxruntime ÷ tessera");
      print(
          "model batch  median    best    median    best    medians  paired: median [25-75 %%] (all)");
      for (String model : models) {
        agree &= compare(engine, model);
      }
    }
    return agree ? 0 : 1;
  }

  private boolean compare(CpuEngine engine, String name) throws IOException, OrtException {
    for (RandomVit vit : RandomVit.values()) {
      if (vit.name().equalsIgnoreCase(name)) {
        Path directory = Files.createTempDirectory("tessera-bench");
        try {
          RandomCheckpoint.write(vit, directory);
          return compare(engine, name, directory);
        } finally {
          RandomCheckpoint.delete(directory);
        }
      }
    }
    return compare(engine, name, Path.of(name));
  }

  private boolean compare(CpuEngine engine, String name, Path directory)
      throws IOException, OrtException {
    boolean agree = true;
    try (Model model = Models.load(directory)) {
      for (int batch : batches) {
        agree &= compare(engine, name, model, batch);
      }
    }
    return agree;
  }

  private boolean compare(CpuEngine engine, String name, Model model, int batch)
      throws IOException, OrtException {
    Graph graph = model.graph(batch, model.height(), model.width(), Outputs.RESULT);
    Path file = Files.createTempFile("tessera-bench", ".onnx");
    try (Arena arena = Arena.ofShared()) {
      Tensor pixels =
          RandomVit.pixels(arena, Shape.of(batch, model.channels(), model.height(), model.width()));
      OnnxModel.write(graph, model.parameters(), attention, file);
      try (OnnxPeer peer = new OnnxPeer(file, pixels, threads)) {
        Executable executable = engine.compile(graph, model.parameters());
        Map<String, Tensor> inputs = Map.of("pixel_values", pixels);
        Contestant ours = () -> executable.run(inputs).values().iterator().next().toFloats();
        Contestant theirs = peer::logits;
        double difference = difference(ours.logits(), theirs.logits());
        PairedTimes times = PairedTimes.measure(ours::logits, theirs::logits, warmUp, rounds);
        // Once more: compiled code may compute something else than the interpreter did.
        difference = Math.max(difference, difference(ours.logits(), theirs.logits()));
        print("%-5s %5d %s   max |Δlogit| %.1e", name, batch, times.columns(), difference);
        if (!(difference <= TOLERANCE)) {
          print("FAILED: the logits differ by more than %s", TOLERANCE);
          return false;
        }
        return true;
      }
    } finally {
      Files.delete(file);
    }
  }

  private interface Contestant {
    float[] logits() throws OrtException;
  }

  private static double difference(float[] left, float[] right) {
    if (left.length != right.length) {
      return Double.NaN;
    }
    double largest = 0; // Math.max keeps NaN
    for (int i = 0; i < left.length; i++) {
      largest = Math.max(largest, Math.abs((double) left[i] - right[i]));
    }
    return largest;
  }

  private static void print(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
