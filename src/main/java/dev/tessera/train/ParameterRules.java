package dev.tessera.train;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which parameters of a model are trained, how fast, and which decay: told by their names and
 * shapes.
 *
 * @param weightDecay of matrices and kernels; biases, normalisations, LayerScale, learned tokens
 *     and positions never decay
 * @param layerDecay what the learning rate is multiplied by for each layer further from the head
 *     (Clark et al., arXiv:2003.10555; Bao et al., arXiv:2106.08254): the classifier and the final
 *     normalisation have scale 1, the last block {@code layerDecay}, the embeddings {@code
 *     layerDecay} to the power of the number of blocks plus one
 * @param freeze what stays as it is
 */
public record ParameterRules(double weightDecay, double layerDecay, Freeze freeze) {
  /** What stays as it is. */
  public sealed interface Freeze {
    /** Nothing: all parameters are trained. */
    record Nothing() implements Freeze {}

    /** All but the classifier. */
    record Backbone() implements Freeze {}

    /** The embeddings and the first {@code count} blocks. */
    record Blocks(int count) implements Freeze {}
  }

  private static final Pattern BLOCK = Pattern.compile("(?:^|\\.)encoder\\.layer\\.(\\d{1,9})\\.");
  private static final Pattern HEAD =
      Pattern.compile("(?:cls_|distillation_)?classifier\\.(?:weight|bias)");

  public ParameterRules {
    if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("weight decay must be at least 0, not " + weightDecay);
    }
    if (!(layerDecay > 0 && layerDecay <= 1)) {
      throw new IllegalArgumentException(
          "layer-wise learning rate decay must be above 0 and at most 1, not " + layerDecay);
    }
  }

  /**
   * The rule of every parameter.
   *
   * @param parameters by canonical name ({@link dev.tessera.checkpoint.NameMap})
   * @throws IllegalArgumentException if nothing would be trained, or more blocks frozen than there
   *     are
   */
  public SequencedMap<String, ParameterRule> of(Map<String, Tensor> parameters) {
    int layers = 0;
    for (String name : parameters.keySet()) {
      layers = Math.max(layers, block(name) + 1);
    }
    if (freeze instanceof Freeze.Blocks(int count) && (count < 0 || count > layers)) {
      throw new IllegalArgumentException(
          "cannot freeze %d blocks of a model that has %d".formatted(count, layers));
    }
    SequencedMap<String, ParameterRule> rules = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : parameters.entrySet()) {
      String name = entry.getKey();
      boolean matrix = isMatrix(name, entry.getValue().shape());
      rules.put(
          name,
          new ParameterRule(
              trained(name),
              Math.pow(layerDecay, layers + 1 - layer(name, layers)),
              matrix ? weightDecay : 0,
              matrix && block(name) >= 0));
    }
    if (rules.values().stream().noneMatch(ParameterRule::trained)) {
      throw new IllegalArgumentException("nothing is left to train: all parameters are frozen");
    }
    return rules;
  }

  /** What is multiplied with features: names ending in weight with two axes or more. */
  private static boolean isMatrix(String name, Shape shape) {
    return name.endsWith("weight") && shape.rank() >= 2;
  }

  private boolean trained(String name) {
    return switch (freeze) {
      case Freeze.Nothing() -> true;
      case Freeze.Backbone() -> HEAD.matcher(name).matches();
      case Freeze.Blocks(int count) ->
          !isEmbedding(name) && (block(name) < 0 || block(name) >= count);
    };
  }

  /** 0 for the embeddings, i + 1 for block i, one more than the last block's for the rest. */
  private static int layer(String name, int layers) {
    int block = block(name);
    return block >= 0 ? block + 1 : isEmbedding(name) ? 0 : layers + 1;
  }

  private static boolean isEmbedding(String name) {
    return name.contains("embeddings.") || name.contains("pre_layernorm.");
  }

  private static int block(String name) {
    Matcher matcher = BLOCK.matcher(name);
    return matcher.find() ? Integer.parseInt(matcher.group(1)) : -1;
  }
}
