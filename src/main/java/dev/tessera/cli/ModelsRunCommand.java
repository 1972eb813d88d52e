package dev.tessera.cli;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera models run}: tensors in, every stage of the model out. */
@Command(
    name = "run",
    description = "Feed tensors to a model and write what every stage of it computes.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera models run vit-base --input in.safetensors --output out.safetensors",
      "  tessera models run vit-base -i in.safetensors -o out.safetensors --device scalar",
      "",
      "The input's tensors are named as transformers names the arguments of forward(): pixel_values",
      "[batch, channels, height, width]; others are ignored. The output holds embeddings_out,",
      "layer_0_out, ..., last_hidden_state, pooler_output and logits, as far as the model has them."
    })
final class ModelsRunCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "Hugging Face model directory.")
  private Path directory = Path.of("");

  @Option(
      names = {"-i", "--input"},
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file with the inputs.")
  private Path input = Path.of("");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "Safetensors file to write.")
  private Path output = Path.of("");

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    try (Engine engine = compute.open();
        Model model = Models.load(directory);
        Safetensors file = inputs()) {
      Tensor pixels = file.tensors().get("pixel_values");
      if (pixels == null) {
        throw unusable("lacks the tensor pixel_values; it has " + file.tensors().keySet());
      }
      check(model, pixels);
      write(output, run(engine, model, pixels, file.tensors()));
      return ExitCode.OK;
    }
  }

  private Map<String, Tensor> run(
      Engine engine, Model model, Tensor pixels, Map<String, Tensor> given) throws Failure {
    Shape shape = pixels.shape();
    try {
      Graph graph = model.graph(shape.extent(0), shape.extent(2), shape.extent(3), Outputs.STAGES);
      Map<String, Tensor> inputs = new HashMap<>();
      for (String name : graph.inputs().keySet()) {
        Tensor tensor = given.get(name);
        if (tensor == null) {
          throw unusable("lacks the tensor " + name + "; it has " + given.keySet());
        }
        inputs.put(name, tensor.dtype().isFloating() ? asFloats(tensor) : tensor);
      }
      return engine.compile(graph, model.parameters()).run(inputs);
    } catch (IllegalArgumentException e) {
      throw unusable("does not fit the model: " + e.getMessage());
    }
  }

  private Safetensors inputs() throws IOException, Failure {
    try {
      return Safetensors.open(input);
    } catch (CheckpointException e) {
      // What is wrong is what was given on the command line, not the model.
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  private void check(Model model, Tensor pixels) throws Failure {
    Shape shape = pixels.shape();
    if (!pixels.dtype().isFloating()
        || shape.rank() != 4
        || shape.elements() == 0
        || shape.extent(1) != model.channels()) {
      throw unusable(
          "has pixel_values %s %s; the model takes floats of shape [batch, %d, height, width]"
              .formatted(pixels.dtype(), shape, model.channels()));
    }
  }

  private Failure unusable(String problem) {
    return new Failure(ExitCode.USAGE, input + " " + problem);
  }

  /** A copy: engines take aligned F32. */
  private static Tensor asFloats(Tensor tensor) {
    return tensor.dtype() == DType.F32
        ? aligned(tensor)
        : Tensor.of(tensor.shape(), tensor.toFloats());
  }

  private static Tensor aligned(Tensor tensor) {
    Tensor copy = Tensor.allocate(Arena.ofAuto(), DType.F32, tensor.shape());
    copy.data().copyFrom(tensor.data());
    return copy;
  }

  /** Writes tensors to {@code file}; a file that cannot be written is its own kind of failure. */
  static void write(Path file, Map<String, Tensor> tensors) throws Failure {
    try {
      Safetensors.write(file, tensors, Map.of());
    } catch (IOException e) {
      throw ResultOutput.failure(file.toString(), e);
    }
  }
}
