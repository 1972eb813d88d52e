package dev.tessera.checkpoint;

import dev.tessera.checkpoint.NameMap.Source;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names that open_clip gives CLIP's parameters, as those of {@code CLIPModel}: query, key and
 * value are the rows of one matrix there, and the projections are multiplied from the right.
 */
final class OpenClipNames {
  private static final Pattern BLOCK =
      Pattern.compile("(visual\\.)?transformer\\.resblocks\\.(\\d{1,9})\\.(.+)");
  private static final Pattern PACKED = Pattern.compile("attn\\.in_proj_(weight|bias)");

  private static final Map<String, String> PARTS =
      Map.of(
          "attn.out_proj", "self_attn.out_proj",
          "ln_1", "layer_norm1",
          "ln_2", "layer_norm2",
          "mlp.c_fc", "mlp.fc1",
          "mlp.c_proj", "mlp.fc2");

  private static final Map<String, String> AROUND =
      Map.ofEntries(
          Map.entry("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
          Map.entry("visual.class_embedding", "vision_model.embeddings.class_embedding"),
          Map.entry(
              "visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
          Map.entry("visual.ln_pre.weight", "vision_model.pre_layrnorm.weight"),
          Map.entry("visual.ln_pre.bias", "vision_model.pre_layrnorm.bias"),
          Map.entry("visual.ln_post.weight", "vision_model.post_layernorm.weight"),
          Map.entry("visual.ln_post.bias", "vision_model.post_layernorm.bias"),
          Map.entry("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
          Map.entry("positional_embedding", "text_model.embeddings.position_embedding.weight"),
          Map.entry("ln_final.weight", "text_model.final_layer_norm.weight"),
          Map.entry("ln_final.bias", "text_model.final_layer_norm.bias"));

  private OpenClipNames() {}

  /** Canonical name to where it comes from; other names stand for themselves. */
  static SequencedMap<String, Source> sources(SequencedSet<String> names) {
    SequencedMap<String, Source> sources = new LinkedHashMap<>();
    for (String name : names) {
      String bare = name.startsWith("text.") ? name.substring(5) : name;
      Matcher block = BLOCK.matcher(bare);
      if (block.matches()) {
        String tower = block.group(1) == null ? "text_model" : "vision_model";
        block(name, tower + ".encoder.layers." + block.group(2) + ".", block.group(3), sources);
      } else if (bare.equals("visual.proj")) {
        sources.put("visual_projection.weight", new Source.Transposed(name));
      } else if (bare.equals("text_projection")) {
        sources.put("text_projection.weight", new Source.Transposed(name));
      } else {
        sources.put(AROUND.getOrDefault(bare, bare), new Source.Whole(name));
      }
    }
    return sources;
  }

  private static void block(
      String name, String block, String part, SequencedMap<String, Source> sources) {
    Matcher packed = PACKED.matcher(part);
    if (packed.matches()) {
      String[] projections = {"q_proj.", "k_proj.", "v_proj."};
      for (int i = 0; i < 3; i++) {
        sources.put(
            block + "self_attn." + projections[i] + packed.group(1), new Source.Rows(name, i, 3));
      }
      return;
    }
    int dot = part.lastIndexOf('.');
    String known = dot < 0 ? null : PARTS.get(part.substring(0, dot));
    sources.put(
        block + (known == null ? part : known + part.substring(dot)), new Source.Whole(name));
  }
}
