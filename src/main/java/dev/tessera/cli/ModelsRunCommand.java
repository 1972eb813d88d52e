package dev.tessera.cli;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.engine.Engine;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
      "[batch, channels, height, width], or input_ids [batch, tokens] with attention_mask,",
      "token_type_ids and position_ids where they are given; others are ignored. The output holds",
      "embeddings_out, layer_0_out, ..., last_hidden_state, pooler_output and logits, as far as the",
      "model has them; the stages of models with two towers begin with vision_ and text_."
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
      write(output, run(engine, model, file.tensors()));
      return ExitCode.OK;
    }
  }

  private Map<String, Tensor> run(Engine engine, Model model, Map<String, Tensor> given)
      throws Failure {
    Map<String, Tensor> inputs = new HashMap<>(given);
    if (given.containsKey("text_ids")) {
      inputs.putIfAbsent("input_ids", given.get("text_ids")); // open_clip's word for it
    }
    List<String> names = new ArrayList<>();
    if (model.takesImages()) {
      names.add("pixel_values");
    }
    if (model.takesTexts()) {
      names.add("input_ids");
    }
    if (names.stream().noneMatch(inputs::containsKey)) {
      throw unusable(
          "lacks the tensor " + String.join(" or ", names) + "; it has " + given.keySet());
    }
    try {
      return model.stages(engine, inputs);
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

  private Failure unusable(String problem) {
    return new Failure(ExitCode.USAGE, input + " " + problem);
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
