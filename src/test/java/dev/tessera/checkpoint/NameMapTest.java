package dev.tessera.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tessera.checkpoint.NameMap.Source;
import java.util.LinkedHashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameMapTest {
  @ParameterizedTest
  @CsvSource({
    // transformers 4, as published, with and without the base model's prefix
    "vit, vit.encoder.layer.11.layernorm_before.weight,"
        + " vit.encoder.layer.11.layernorm_before.weight",
    "vit, encoder.layer.0.attention.attention.query.bias,"
        + " vit.encoder.layer.0.attention.attention.query.bias",
    "vit, embeddings.position_embeddings, vit.embeddings.position_embeddings",
    "vit, layernorm.weight, vit.layernorm.weight",
    "vit, pooler.dense.weight, vit.pooler.dense.weight",
    "vit, classifier.weight, classifier.weight",
    "deit, deit.embeddings.distillation_token, deit.embeddings.distillation_token",
    "deit, cls_classifier.bias, cls_classifier.bias",
    "dinov2, encoder.layer.0.mlp.fc1.weight, dinov2.encoder.layer.0.mlp.fc1.weight",
    "dinov2_with_registers, embeddings.register_tokens,"
        + " dinov2_with_registers.embeddings.register_tokens",
    // transformers 5, as its modules are called
    "vit, vit.layers.3.attention.q_proj.weight,"
        + " vit.encoder.layer.3.attention.attention.query.weight",
    "vit, layers.3.attention.k_proj.bias, vit.encoder.layer.3.attention.attention.key.bias",
    "vit, layers.3.attention.v_proj.bias, vit.encoder.layer.3.attention.attention.value.bias",
    "deit, deit.layers.3.attention.o_proj.weight,"
        + " deit.encoder.layer.3.attention.output.dense.weight",
    "vit, vit.layers.3.mlp.fc1.weight, vit.encoder.layer.3.intermediate.dense.weight",
    "vit, vit.layers.3.mlp.fc2.weight, vit.encoder.layer.3.output.dense.weight",
    "vit, vit.layers.3.layernorm_after.bias, vit.encoder.layer.3.layernorm_after.bias",
    "dinov2, dinov2.encoder.layer.3.attention.q_proj.bias,"
        + " dinov2.encoder.layer.3.attention.attention.query.bias",
    "dinov2, encoder.layer.3.mlp.down_proj.bias, dinov2.encoder.layer.3.mlp.weights_out.bias",
    "dinov2, encoder.layer.3.layer_scale1.lambda1, dinov2.encoder.layer.3.layer_scale1.lambda1",
    // timm
    "vit, cls_token, vit.embeddings.cls_token",
    "vit, pos_embed, vit.embeddings.position_embeddings",
    "vit, reg_token, vit.embeddings.register_tokens",
    "deit, dist_token, deit.embeddings.distillation_token",
    "vit, patch_embed.proj.weight, vit.embeddings.patch_embeddings.projection.weight",
    "vit, blocks.7.norm1.weight, vit.encoder.layer.7.layernorm_before.weight",
    "vit, blocks.7.norm2.weight, vit.encoder.layer.7.layernorm_after.weight",
    "vit, blocks.7.attn.proj.bias, vit.encoder.layer.7.attention.output.dense.bias",
    "vit, blocks.7.mlp.fc1.weight, vit.encoder.layer.7.intermediate.dense.weight",
    "vit, blocks.7.mlp.fc2.weight, vit.encoder.layer.7.output.dense.weight",
    "vit, blocks.7.ls1.gamma, vit.encoder.layer.7.layer_scale1.lambda1",
    "vit, norm_pre.weight, vit.pre_layernorm.weight",
    "vit, norm.weight, vit.layernorm.weight",
    "vit, fc_norm.bias, fc_norm.bias",
    "vit, head.weight, classifier.weight",
    "deit, head_dist.weight, distillation_classifier.weight",
    // timm inside of transformers' TimmWrapperModel
    "vit, timm_model.blocks.7.norm1.bias, vit.encoder.layer.7.layernorm_before.bias",
    // the original DINOv2
    "dinov2, blocks.0.11.ls2.gamma, dinov2.encoder.layer.11.layer_scale2.lambda1",
    "dinov2, blocks.2.mlp.w12.weight, dinov2.encoder.layer.2.mlp.weights_in.weight",
    "dinov2, blocks.2.mlp.w3.bias, dinov2.encoder.layer.2.mlp.weights_out.bias",
    "dinov2, blocks.2.mlp.fc1.bias, dinov2.encoder.layer.2.mlp.fc1.bias",
    "dinov2, blocks.2.norm1.bias, dinov2.encoder.layer.2.norm1.bias",
    // anything else stands for itself
    "vit, decoder.0.weight, decoder.0.weight",
    "bert, blocks.0.norm1.weight, blocks.0.norm1.weight",
  })
  void renames(String family, String stored, String canonical) {
    assertThat(map(family, stored).sources())
        .containsExactly(java.util.Map.entry(canonical, new Source.Whole(stored)));
  }

  @Test
  void cutsPackedQueriesKeysAndValues() {
    assertThat(map("vit", "blocks.1.attn.qkv.weight").sources())
        .containsExactly(
            java.util.Map.entry(
                "vit.encoder.layer.1.attention.attention.query.weight",
                new Source.Rows("blocks.1.attn.qkv.weight", 0, 3)),
            java.util.Map.entry(
                "vit.encoder.layer.1.attention.attention.key.weight",
                new Source.Rows("blocks.1.attn.qkv.weight", 1, 3)),
            java.util.Map.entry(
                "vit.encoder.layer.1.attention.attention.value.weight",
                new Source.Rows("blocks.1.attn.qkv.weight", 2, 3)));
  }

  @Test
  void stacksGateAboveValueWhateverTheOrderInTheFile() {
    String up = "encoder.layer.0.mlp.up_proj.weight";
    String gate = "encoder.layer.0.mlp.gate_proj.weight";
    assertThat(map("dinov2", up, gate).sources())
        .containsExactly(
            java.util.Map.entry(
                "dinov2.encoder.layer.0.mlp.weights_in.weight",
                new Source.Stacked(List.of(gate, up))));
    assertThat(map("vit", "blocks.0.mlp.fc1_x.bias", "blocks.0.mlp.fc1_g.bias").sources())
        .containsExactly(
            java.util.Map.entry(
                "vit.encoder.layer.0.intermediate.dense.bias",
                new Source.Stacked(List.of("blocks.0.mlp.fc1_g.bias", "blocks.0.mlp.fc1_x.bias"))));
  }

  @Test
  void halfAStackIsNotTheParameter() {
    assertThat(map("dinov2", "encoder.layer.0.mlp.up_proj.weight").sources().keySet())
        .containsExactly("encoder.layer.0.mlp.up_proj.weight");
  }

  @Test
  void refusesTwoNamesOfOneParameter() {
    assertThatThrownBy(() -> map("vit", "vit.layernorm.weight", "norm.weight"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "\"vit.layernorm.weight\" and \"norm.weight\" are two names of one parameter,"
                + " vit.layernorm.weight");
  }

  private static NameMap map(String family, String... names) {
    return NameMap.of(family, new LinkedHashSet<>(List.of(names)));
  }
}
