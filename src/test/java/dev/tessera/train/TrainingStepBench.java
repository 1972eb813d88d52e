package dev.tessera.train;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Tessera's side of {@code examples/bench/training.py}: for every byte on standard input one
 * training step, and a line with its milliseconds, its loss and the process' peak memory in MB.
 *
 * <p>Arguments: a model folder, a file with {@code pixel_values} and {@code targets}, threads.
 */
final class TrainingStepBench {
  private TrainingStepBench() {}

  public static void main(String[] arguments) throws Exception {
    try (Model model = Models.load(Path.of(arguments[0]));
        Safetensors batch = Safetensors.open(Path.of(arguments[1]));
        Engine engine = Engines.open("cpu", Integer.parseInt(arguments[2]))) {
      Map<String, ParameterRule> rules = new LinkedHashMap<>();
      model
          .parameters()
          .forEach((name, tensor) ->
              rules.put(name, new ParameterRule(true, 1, tensor.shape().rank() > 1 ? 0.05 : 0)));
      Map<String, Tensor> inputs = batch.tensors();
      int count = inputs.get("pixel_values").shape().extent(0);
      TrainingStep step =
          TrainingStep.compile(
              engine,
              model.graph(count, model.height(), model.width(), Outputs.RESULT),
              new Loss.CrossEntropy(0),
              model.parameters(),
              rules,
              new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 0, 0),
              1);
      while (System.in.read() >= 0) {
        long start = System.nanoTime();
        double loss = step.run(inputs, 1e-4, 0).loss();
        double milliseconds = (System.nanoTime() - start) / 1e6;
        System.out.printf("%.3f %.6f %.0f%n", milliseconds, loss, peakMegabytes());
      }
    }
  }

  private static double peakMegabytes() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Double.parseDouble(line.replaceAll("\\D+", "")) / 1024;
      }
    }
    return 0;
  }
}
