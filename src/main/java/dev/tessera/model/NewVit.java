package dev.tessera.model;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A Vision Transformer that has not learned anything yet: sizes, and a directory with random
 * weights that {@code ViTForImageClassification} of {@code transformers} loads.
 *
 * @param imageSize height and width in pixels
 * @param patchSize height and width of a patch in pixels
 * @param channels 1 for gray, 3 for colour
 * @param hidden width of a token
 * @param layers Transformer blocks
 * @param heads attention heads, a divisor of {@code hidden}
 * @param mlpRatio width of the feed-forward layer over {@code hidden}
 */
public record NewVit(
    int imageSize,
    int patchSize,
    int channels,
    int hidden,
    int layers,
    int heads,
    double mlpRatio) {
  /** The sizes of ViT and DeiT (arXiv:2010.11929, arXiv:2012.12877), and two for tiny pictures. */
  private static final SequencedMap<String, NewVit> PRESETS = presets();

  public NewVit {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException("images have 1 or 3 channels, not " + channels);
    }
    if (patchSize < 1 || imageSize < patchSize || imageSize > 4096) {
      throw new IllegalArgumentException(
          "an image of %d pixels a side does not hold a patch of %d; the largest is 4096"
              .formatted(imageSize, patchSize));
    }
    if (imageSize % patchSize != 0) {
      throw new IllegalArgumentException(
          "an image of %d pixels a side cannot be cut into patches of %d"
              .formatted(imageSize, patchSize));
    }
    if (heads < 1 || hidden < heads || hidden > 65536 || hidden % heads != 0) {
      throw new IllegalArgumentException(
          "a hidden size of %d cannot be shared by %d heads".formatted(hidden, heads));
    }
    if (layers < 1 || layers > 1000) {
      throw new IllegalArgumentException("a model has 1 to 1000 layers, not " + layers);
    }
    if (!(mlpRatio * hidden >= 1 && mlpRatio <= 64)) {
      throw new IllegalArgumentException("an MLP ratio of " + mlpRatio + " makes no model");
    }
  }

  private static SequencedMap<String, NewVit> presets() {
    SequencedMap<String, NewVit> presets = new LinkedHashMap<>();
    presets.put("vit-nano", new NewVit(32, 4, 3, 64, 4, 4, 4));
    presets.put("vit-micro", new NewVit(32, 4, 3, 128, 6, 4, 2));
    presets.put("vit-tiny", new NewVit(224, 16, 3, 192, 12, 3, 4));
    presets.put("vit-small", new NewVit(224, 16, 3, 384, 12, 6, 4));
    presets.put("vit-base", new NewVit(224, 16, 3, 768, 12, 12, 4));
    return Collections.unmodifiableSequencedMap(presets);
  }

  /** Named sizes, the smallest first. */
  public static SequencedMap<String, NewVit> named() {
    return PRESETS;
  }

  /** Width of the feed-forward layer. */
  public int intermediate() {
    return (int) Math.round(mlpRatio * hidden);
  }

  /**
   * The model with random weights.
   *
   * @param path where it will be
   * @param labels of its classifier
   * @param seed the same gives the same weights, on every machine
   */
  public HfDirectory create(Path path, List<String> labels, long seed) {
    return HfDirectory.of(
        path, config(labels), preprocessor(imageSize, channels), weights(labels.size(), seed));
  }

  private Map<String, @Nullable Object> config(List<String> labels) {
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put("architectures", List.of("ViTForImageClassification"));
    config.put("model_type", "vit");
    config.put("image_size", imageSize);
    config.put("patch_size", patchSize);
    config.put("num_channels", channels);
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("intermediate_size", intermediate());
    config.put("hidden_act", "gelu");
    config.put("qkv_bias", true);
    config.put("layer_norm_eps", 1e-6);
    config.put("initializer_range", RandomParameters.DEVIATION);
    config.put("hidden_dropout_prob", 0.0);
    config.put("attention_probs_dropout_prob", 0.0);
    Labels.put(config, labels);
    config.put("torch_dtype", "float32");
    return config;
  }

  /** Resizing to a square and levels from -1 to 1, as ViT was published. */
  static Map<String, @Nullable Object> preprocessor(int imageSize, int channels) {
    List<Double> half = Collections.nCopies(channels, 0.5);
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put("image_processor_type", "ViTImageProcessor");
    config.put("do_resize", true);
    config.put("size", square(imageSize));
    config.put("resample", 2);
    config.put("do_rescale", true);
    config.put("rescale_factor", 1 / 255.0);
    config.put("do_normalize", true);
    config.put("image_mean", half);
    config.put("image_std", half);
    return config;
  }

  static Map<String, Object> square(int side) {
    Map<String, Object> size = new LinkedHashMap<>();
    size.put("height", side);
    size.put("width", side);
    return size;
  }

  private Map<String, Tensor> weights(int labels, long seed) {
    RandomParameters random = new RandomParameters(seed);
    Map<String, Tensor> weights = new LinkedHashMap<>();
    String base = "vit.embeddings.";
    int patches = (imageSize / patchSize) * (imageSize / patchSize);
    String token = base + "cls_token";
    weights.put(token, random.small(token, 1, 1, hidden));
    String positions = base + "position_embeddings";
    weights.put(positions, random.small(positions, 1, 1 + patches, hidden));
    linear(
        weights,
        random,
        base + "patch_embeddings.projection",
        hidden,
        channels,
        patchSize,
        patchSize);
    Encoder.Names names = Encoder.Names.VIT;
    for (int n = 0; n < layers; n++) {
      String block = "vit.encoder.layer." + n + ".";
      norm(weights, block + names.attentionNorm());
      linear(weights, random, block + names.query(), hidden, hidden);
      linear(weights, random, block + names.key(), hidden, hidden);
      linear(weights, random, block + names.value(), hidden, hidden);
      linear(weights, random, block + names.attentionOutput(), hidden, hidden);
      norm(weights, block + names.feedForwardNorm());
      linear(weights, random, block + names.in(), intermediate(), hidden);
      linear(weights, random, block + names.out(), hidden, intermediate());
    }
    norm(weights, "vit.layernorm");
    head(weights, random, "classifier", labels, hidden);
    return weights;
  }

  private void norm(Map<String, Tensor> weights, String name) {
    weights.put(name + ".weight", RandomParameters.ones(hidden));
    weights.put(name + ".bias", RandomParameters.zeros(hidden));
  }

  private static void linear(
      Map<String, Tensor> weights, RandomParameters random, String name, int... extents) {
    String weight = name + ".weight";
    weights.put(weight, random.weight(weight, extents));
    weights.put(name + ".bias", RandomParameters.zeros(extents[0]));
  }

  /** A classifier that has not learned anything yet. */
  static void head(
      Map<String, Tensor> weights, RandomParameters random, String name, int labels, int in) {
    String weight = name + ".weight";
    weights.put(weight, random.small(weight, labels, in));
    weights.put(name + ".bias", RandomParameters.zeros(labels));
  }
}
