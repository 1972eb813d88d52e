package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.model.ModelConfig.Size;
import java.util.List;

/**
 * What the name of one of timm's constructors says about a model that neither its config nor its
 * weights do: read off {@code timm/models/vision_transformer.py} and {@code deit.py} of timm 1.0.
 */
final class TimmNames {
  private TimmNames() {}

  /** Refuses constructors whose models compute something else from the same parameters. */
  static void check(ModelConfig config, String name) throws CheckpointException {
    boolean known =
        List.of("vit_", "deit", "flexivit_", "eva_large_", "test_vit").stream()
            .anyMatch(name::startsWith);
    if (!known || name.contains("_rpn_")) {
      throw new CheckpointException(
          config.file(),
          "architecture "
              + Json.describe(name)
              + " of timm's is not supported; "
              + Models.SUPPORTED);
    }
  }

  static int heads(String name) {
    if (name.startsWith("test_vit")) {
      return 2;
    }
    if (name.equals("vit_base_patch16_gap_224")) {
      return 16;
    }
    if (name.contains("_plus_")) {
      return 14;
    }
    if (name.startsWith("vit_giant_") && (name.contains("dinov2") || name.contains("tipsv2"))) {
      return 24;
    }
    String[] words = name.split("_", 3);
    return switch (words.length < 2 ? "" : words[1]) {
      case "tiny" -> 3;
      case "xsmall", "wee" -> 4;
      case "little" -> 5;
      case "small" -> 6;
      case "medium", "mediumd" -> 8;
      case "betwixt" -> 10;
      case "so150m2" -> 13;
      case "so150m" -> 14;
      case "large", "huge", "giant", "giantopt", "gigantic", "so400m", "intern300m" -> 16;
      default -> 12;
    };
  }

  /** The activation between the feed-forward layers. */
  static String activation(String name) {
    if (name.contains("quickgelu")) {
      return "quick_gelu";
    }
    // SigLIP 2 came with the tanh approximation, SigLIP under the same names without.
    boolean siglip2 =
        name.startsWith("vit_so400m_patch16_siglip")
            || name.startsWith("vit_giantopt_patch16_siglip")
            || name.startsWith("vit_base_patch32_siglip")
            || (name.startsWith("vit_large_patch16_siglip") && name.endsWith("_512"));
    return siglip2 ? "gelu_tanh" : "gelu";
  }

  static float epsilon(String name) {
    return name.contains("_clip_") ? 1e-5f : 1e-6f;
  }

  /** {@code img_size} of the constructor's arguments, else the size the weights were made for. */
  static Size imageSize(ModelConfig config) throws CheckpointException {
    ModelConfig arguments = config.section("model_args");
    if (arguments.has("img_size")) {
      return arguments.size("img_size", 224);
    }
    ModelConfig pretrained =
        config.has("pretrained_cfg") ? config.section("pretrained_cfg") : config;
    return pretrained.has("input_size") ? pretrained.inputSize() : new Size(224, 224);
  }
}
