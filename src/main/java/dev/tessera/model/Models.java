package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Json;
import dev.tessera.checkpoint.Weights;
import java.io.IOException;
import java.nio.file.Path;

/** Opens model directories. */
public final class Models {
  /** What can be loaded, for error messages. */
  static final String SUPPORTED =
      "supported are model_type vit, deit, dinov2 and dinov2_with_registers, and timm's vit_* and"
          + " deit* models";

  private Models() {}

  /**
   * Opens the model in {@code directory}: its config is read, its weights are mapped and checked
   * against what the config describes.
   *
   * @throws CheckpointException if the directory holds no intact model of a supported kind
   */
  public static Model load(Path directory) throws IOException {
    HfDirectory files = HfDirectory.open(directory);
    try {
      return load(files);
    } catch (IOException | RuntimeException | Error e) {
      files.close();
      throw e;
    }
  }

  private static Model load(HfDirectory files) throws IOException {
    ModelConfig config = new ModelConfig(files.path().resolve("config.json"), files.config());
    return switch (files.layout()) {
      case TIMM -> {
        boolean distilled =
            files.tensors().keySet().stream().anyMatch(name -> name.endsWith("dist_token"));
        Weights weights = files.weights(TimmVit.prefix(distilled));
        yield Model.checked(files, weights, TimmVit.of(config, weights));
      }
      case OPEN_CLIP ->
          throw new CheckpointException(
              files.path(), "holds a model of open_clip's, which is not supported; " + SUPPORTED);
      case TRANSFORMERS -> {
        String family = config.text("model_type", "");
        Weights weights = files.weights(family);
        yield Model.checked(
            files,
            weights,
            switch (family) {
              case "vit" -> Vit.of(config, weights);
              case "deit" -> Deit.of(config, weights);
              case "dinov2", "dinov2_with_registers" -> Dinov2.of(family, config, weights);
              default ->
                  throw new CheckpointException(
                      config.file(),
                      (family.isEmpty()
                              ? "has no model_type"
                              : "model_type " + Json.describe(family) + " is not supported")
                          + "; "
                          + SUPPORTED);
            });
      }
    };
  }
}
