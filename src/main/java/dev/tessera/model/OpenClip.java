package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Op;
import java.util.List;

/**
 * CLIP models as open_clip publishes them: an {@code open_clip_config.json} with its own keys and
 * defaults. Their parameters are read under {@code transformers}' names.
 */
final class OpenClip {
  private OpenClip() {}

  static ImageText of(ModelConfig file, Weights weights) throws CheckpointException {
    ModelConfig config = file.section("model_cfg");
    ModelConfig vision = config.section("vision_cfg");
    ModelConfig text = config.section("text_cfg");
    for (String key : new String[] {"timm_model_name", "attentional_pool", "ls_init_value"}) {
      refuse(vision, key);
    }
    for (String key : new String[] {"hf_model_name", "embed_cls", "no_causal_mask"}) {
      refuse(text, key);
    }
    int projection = config.extent("embed_dim", 512);
    boolean quick = config.flag("quick_gelu", false);
    Activation activation = quick ? Activation.QUICK_GELU : Activation.GELU;
    int width = vision.extent("width", 768);
    int headWidth = vision.extent("head_width", 64);
    if (width % headWidth != 0) {
      throw vision.wrong("head_width", "a divisor of width, " + width);
    }
    int textWidth = text.extent("width", 512);
    int textHeads = text.extent("heads", 8);
    return ImageText.of(
        "open_clip/CLIP",
        new ClipVision(
            "open_clip/CLIP",
            new Embeddings(
                "vision_model",
                3,
                vision.size("image_size", 224),
                vision.size("patch_size", 16),
                width,
                false,
                List.of(new Embeddings.Token("class_embedding", 1, true)),
                Embeddings.Positions.RESIZED,
                Embeddings.Names.CLIP),
            encoder(vision, width, width / headWidth, activation),
            projection),
        new ClipText(
            "open_clip/CLIP",
            new TextEmbeddings(
                "text_model",
                "token_embedding.weight",
                "position_embedding.weight",
                text.extent("vocab_size", 49408),
                text.extent("context_length", 77),
                0,
                textWidth),
            encoder(text, textWidth, textHeads, activation),
            Op.PositionOf.LARGEST,
            projection),
        weights,
        false);
  }

  private static void refuse(ModelConfig config, String key) throws CheckpointException {
    Object value = config.values().get(key);
    if (value != null && !value.equals(false)) {
      throw config.wrong(key, "absent: only open_clip's own CLIP models are supported");
    }
  }

  private static Encoder encoder(ModelConfig config, int width, int heads, Activation activation)
      throws CheckpointException {
    return new Encoder(
        Encoder.Names.CLIP,
        config.count("layers", 12),
        heads,
        Heads.features(config, width, heads),
        (int) (width * config.number("mlp_ratio", 4)),
        activation,
        false,
        true,
        false,
        true,
        true,
        1e-5f);
  }
}
