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
      "supported are model_type vit, deit, dinov2, dinov2_with_registers, bert, clip and siglip,"
          + " timm's vit_* and deit* models, and open_clip's CLIP models";

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
      case OPEN_CLIP -> {
        Weights weights = files.weights("open_clip");
        yield Model.checked(
            files, weights, OpenClip.of(new ModelConfig(files.path(), files.config()), weights));
      }
      case TRANSFORMERS -> {
        String family = config.text("model_type", "");
        Weights weights = files.weights(family);
        yield Model.checked(
            files,
            weights,
            switch (family) {
              case "vit" -> Vit.of(config, weights);
              case "deit" -> Deit.of(config, weights);
              case "bert" -> Bert.of(config, weights, SentencePooling.read(files.path()));
              case "clip" -> clip(config, weights);
              case "siglip" -> siglip(config, weights);
              case "clip_vision_model" ->
                  ClipVision.of(
                      config.architecture("CLIPVisionModel"),
                      config,
                      weights.has("visual_projection.weight")
                          ? Heads.rows(weights, "visual_projection.weight")
                          : 0);
              case "siglip_vision_model" ->
                  SiglipVision.of(config.architecture("SiglipVisionModel"), config, weights, false);
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

  private static ImageText clip(ModelConfig config, Weights weights) throws CheckpointException {
    String architecture = config.architecture("CLIPModel");
    int projection = config.extent("projection_dim", 512);
    return ImageText.of(
        architecture,
        ClipVision.of(architecture, config.section("vision_config"), projection),
        ClipText.of(architecture, config.section("text_config"), projection),
        weights,
        false);
  }

  private static ImageText siglip(ModelConfig config, Weights weights) throws CheckpointException {
    String architecture = config.architecture("SiglipModel");
    SiglipVision vision =
        SiglipVision.of(architecture, config.section("vision_config"), weights, true);
    SiglipText text = SiglipText.of(architecture, config.section("text_config"));
    if (!vision.hasHead() || text.projection() != vision.embeddings().hidden()) {
      throw new CheckpointException(
          config.file(),
          "describes towers that share no space: images become "
              + vision.embeddings().hidden()
              + " numbers and texts "
              + text.projection()
              + "; check that config.json and the weights belong to the same model");
    }
    return ImageText.of(architecture, vision, text, weights, true);
  }
}
