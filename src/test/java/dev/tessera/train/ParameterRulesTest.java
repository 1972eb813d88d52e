package dev.tessera.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.train.ParameterRules.Freeze;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParameterRulesTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");

  @Test
  void onlyMatricesAndKernelsDecay() throws Exception {
    Map<String, ParameterRule> rules = rules("vit-tiny", 0.05, 1, new Freeze.Nothing());
    Set<String> decaying = new TreeSet<>();
    rules.forEach((name, rule) -> {
      if (rule.weightDecay() == 0.05) {
        decaying.add(name.replaceFirst("layer\\.\\d", "layer.N"));
      } else {
        assertThat(rule.weightDecay()).isZero();
      }
      assertThat(rule.learningRateScale()).isEqualTo(1);
      assertThat(rule.trained()).isTrue();
    });
    String block = "vit.encoder.layer.N.";
    assertThat(decaying)
        .containsExactly(
            "classifier.weight",
            "vit.embeddings.patch_embeddings.projection.weight",
            block + "attention.attention.key.weight",
            block + "attention.attention.query.weight",
            block + "attention.attention.value.weight",
            block + "attention.output.dense.weight",
            block + "intermediate.dense.weight",
            block + "output.dense.weight");
  }

  @Test
  void onlyMatricesOfBlocksAreHidden() throws Exception {
    Map<String, ParameterRule> rules = rules("vit-tiny", 0.05, 1, new Freeze.Nothing());
    assertThat(rules.keySet())
        .filteredOn(name -> hidden(rules, name))
        .hasSize(3 * 6)
        .allMatch(name -> name.contains("encoder.layer.") && decay(rules, name) > 0);
    assertThat(hidden(rules, "classifier.weight")).isFalse();
    assertThat(hidden(rules, "vit.embeddings.patch_embeddings.projection.weight")).isFalse();
  }

  @Test
  void layerScaleAndTokensDoNotDecay() throws Exception {
    Map<String, ParameterRule> rules = rules("dinov2-reg", 0.1, 1, new Freeze.Nothing());
    assertThat(decay(rules, "encoder.layer.0.layer_scale1.lambda1")).isZero();
    assertThat(decay(rules, "embeddings.register_tokens")).isZero();
    assertThat(decay(rules, "embeddings.cls_token")).isZero();
    assertThat(decay(rules, "embeddings.position_embeddings")).isZero();
    assertThat(decay(rules, "layernorm.weight")).isZero();
    assertThat(decay(rules, "encoder.layer.0.mlp.fc1.weight")).isEqualTo(0.1);
  }

  @Test
  void theLearningRateFallsLayerByLayer() throws Exception {
    Map<String, ParameterRule> rules = rules("vit-tiny", 0, 0.75, new Freeze.Nothing());
    // three blocks: identifiers 0 (embeddings), 1 to 3 (blocks), 4 (final norm, classifier)
    assertThat(scale(rules, "classifier.bias")).isEqualTo(1);
    assertThat(scale(rules, "vit.layernorm.weight")).isEqualTo(1);
    assertThat(scale(rules, "vit.encoder.layer.2.output.dense.bias")).isEqualTo(0.75);
    assertThat(scale(rules, "vit.encoder.layer.0.layernorm_before.bias"))
        .isCloseTo(0.421875, within(1e-15));
    assertThat(scale(rules, "vit.embeddings.cls_token")).isCloseTo(0.31640625, within(1e-15));
    assertThat(scale(rules, "vit.embeddings.position_embeddings"))
        .isCloseTo(0.31640625, within(1e-15));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"vit-tiny", "dinov2-cls", "timm-vit", "timm-vit-reg4-nocls", "timm-vit-map"})
  void theHeadAloneIsTheClassifier(String model) throws Exception {
    Map<String, ParameterRule> rules = rules(model, 0, 1, new Freeze.Backbone());
    assertThat(trained(rules)).containsExactly("classifier.bias", "classifier.weight");
  }

  @Test
  void aDistilledModelHasTwoHeads() throws Exception {
    Map<String, ParameterRule> rules = rules("deit-distilled", 0, 1, new Freeze.Backbone());
    assertThat(trained(rules))
        .containsExactly(
            "cls_classifier.bias",
            "cls_classifier.weight",
            "distillation_classifier.bias",
            "distillation_classifier.weight");
  }

  @Test
  void theFirstBlocksAreFrozenWithTheEmbeddings() throws Exception {
    Map<String, ParameterRule> rules = rules("vit-tiny", 0, 1, new Freeze.Blocks(2));
    assertThat(trained(rules))
        .hasSize(16 + 4)
        .allMatch(name ->
            name.startsWith("vit.encoder.layer.2.")
                || name.startsWith("vit.layernorm.")
                || name.startsWith("classifier."));
  }

  @Test
  void whatLeavesNothingToTrainIsRefused() {
    assertThatThrownBy(() -> rules("vit-tiny", 0, 1, new Freeze.Blocks(4)))
        .hasMessage("cannot freeze 4 blocks of a model that has 3");
    assertThatThrownBy(() -> rules("dinov2-reg", 0, 1, new Freeze.Backbone()))
        .hasMessageContaining("nothing is left to train");
    assertThatThrownBy(() -> new ParameterRules(-1, 1, new Freeze.Nothing()))
        .hasMessageContaining("weight decay");
    assertThatThrownBy(() -> new ParameterRules(0, 0, new Freeze.Nothing()))
        .hasMessageContaining("layer-wise");
  }

  private static Map<String, ParameterRule> rules(
      String model, double weightDecay, double layerDecay, Freeze freeze) throws Exception {
    try (Model loaded = Models.load(CHECKPOINTS.resolve(model))) {
      return new ParameterRules(weightDecay, layerDecay, freeze).of(loaded.parameters());
    }
  }

  private static boolean hidden(Map<String, ParameterRule> rules, String name) {
    return rule(rules, name).hidden();
  }

  private static double decay(Map<String, ParameterRule> rules, String ending) {
    return rule(rules, ending).weightDecay();
  }

  private static double scale(Map<String, ParameterRule> rules, String ending) {
    return rule(rules, ending).learningRateScale();
  }

  private static ParameterRule rule(Map<String, ParameterRule> rules, String ending) {
    return rules.entrySet().stream()
        .filter(entry -> entry.getKey().endsWith(ending))
        .findFirst()
        .orElseThrow()
        .getValue();
  }

  private static Set<String> trained(Map<String, ParameterRule> rules) {
    Set<String> names = new TreeSet<>();
    rules.forEach((name, rule) -> {
      if (rule.trained()) {
        names.add(name);
      }
    });
    return names;
  }
}
