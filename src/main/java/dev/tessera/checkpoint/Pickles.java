package dev.tessera.checkpoint;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to tell a person whose model directory holds no safetensors: pickles run code when they are
 * loaded, so they are never read here.
 */
final class Pickles {
  private static final List<String> ENDINGS = List.of(".bin", ".pt", ".pth", ".ckpt");
  private static final List<String> OTHER = List.of(".h5", ".msgpack", ".onnx", ".gguf", ".npz");

  private Pickles() {}

  static boolean isPickle(Path file) {
    return endsWith(file, ENDINGS);
  }

  /** The sentence for {@code directory}, which has none of the weights files that are read. */
  static String advice(Path directory, Map<String, @Nullable Object> config) throws IOException {
    List<Path> pickles = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (isPickle(file)) {
          pickles.add(file);
        } else if (endsWith(file, OTHER)) {
          others.add(file);
        }
      }
    }
    Collections.sort(pickles);
    Collections.sort(others);
    if (!pickles.isEmpty()) {
      // training_args.bin and the like may sort first.
      Path weights =
          pickles.stream()
              .filter(file -> file.getFileName().toString().startsWith("pytorch_model"))
              .findFirst()
              .orElse(pickles.getFirst());
      return "has its weights only as "
          + weights.getFileName()
          + ", a pickle that can run code when it is loaded; convert it once in Python: "
          + (weights.getFileName().toString().startsWith("pytorch_model")
                  && config.containsKey("model_type")
              ? convertDirectory(directory, config)
              : convertFile(weights));
    }
    if (!others.isEmpty()) {
      return "has no model.safetensors but "
          + others.getFirst().getFileName()
          + ", which is not read; save the model in PyTorch with save_pretrained('"
          + directory
          + "', safe_serialization=True)";
    }
    return "has no model.safetensors; download the weights beside config.json";
  }

  /** A command that converts one pickled state dict. */
  static String convertFile(Path pickle) {
    return "python -c \"import torch; from safetensors.torch import save_file;"
        + " s = torch.load('"
        + pickle
        + "', map_location='cpu', weights_only=True);"
        + " save_file({k: v.clone().contiguous() for k, v in s.get('state_dict', s).items()}, '"
        + pickle.resolveSibling("model.safetensors")
        + "')\"";
  }

  private static String convertDirectory(Path directory, Map<String, @Nullable Object> config) {
    String type =
        config.get("architectures") instanceof List<?> list
                && !list.isEmpty()
                && list.getFirst() instanceof String name
                // It becomes part of a command that a person will paste into a shell.
                && name.matches("[A-Za-z0-9_]{1,100}")
            ? name
            : "AutoModelForImageClassification";
    return "python -c \"from transformers import "
        + type
        + " as M; M.from_pretrained('"
        + directory
        + "').save_pretrained('"
        + directory
        + "', safe_serialization=True)\"";
  }

  private static boolean endsWith(Path file, List<String> endings) {
    Path name = file.getFileName();
    return name != null && endings.stream().anyMatch(name.toString()::endsWith);
  }
}
