package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.checkpoint.Json;
import dev.tessera.graph.Activation;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a model of timm's that is trained further. Where {@code transformers} has a class
 * that computes the same, the result is a directory for that class; otherwise it stays one for
 * timm, under timm's names.
 */
final class TimmTransfer {
  /** Pillow's numbers of the filters that timm names. */
  private static final Map<String, Integer> FILTERS =
      Map.of("lanczos", 1, "bilinear", 2, "bicubic", 3, "box", 4, "hamming", 5);

  private static final List<Double> IMAGENET_MEAN = List.of(0.485, 0.456, 0.406);
  private static final List<Double> IMAGENET_STD = List.of(0.229, 0.224, 0.225);

  private TimmTransfer() {}

  /**
   * The directory.
   *
   * @param config timm's config with {@code image_size} where it was changed, and the labels
   * @param tensors by canonical name
   */
  static HfDirectory of(
      Model model,
      TimmVit vit,
      Path path,
      Map<String, @Nullable Object> config,
      Map<String, Tensor> tensors,
      List<String> labels)
      throws CheckpointException {
    Size image = vit.embeddings().image();
    if (config.get("image_size") instanceof Number side) {
      image = new Size(side.intValue(), side.intValue());
    }
    Map<String, @Nullable Object> settings = model.files().pretrainedCfg();
    boolean centred = "center".equals(settings.getOrDefault("crop_mode", "center"));
    Integer filter = FILTERS.get(String.valueOf(settings.getOrDefault("interpolation", "bicubic")));
    if (isPlain(vit) && image.height() == image.width() && centred && filter != null) {
      return HfDirectory.of(
          path,
          plainConfig(vit, image.height(), labels),
          preprocessor(model, settings, image.height(), filter),
          tensors);
    }
    return timm(model, path, image, tensors, labels);
  }

  /** Whether {@code ViTForImageClassification} or DeiT's with teacher computes the same. */
  private static boolean isPlain(TimmVit vit) {
    List<String> tokens = vit.embeddings().tokens().stream().map(Embeddings.Token::name).toList();
    boolean positioned = vit.embeddings().tokens().stream().allMatch(Embeddings.Token::positioned);
    List<String> wanted =
        vit.distilled() ? List.of("cls_token", "distillation_token") : List.of("cls_token");
    Encoder encoder = vit.encoder();
    return tokens.equals(wanted)
        && positioned
        && vit.embeddings().patchBias()
        && vit.embeddings().patch().height() == vit.embeddings().patch().width()
        && !vit.preNorm()
        && vit.finalNorm()
        && vit.pool() instanceof TimmVit.Pool.Token
        && !vit.poolNorm()
        && !encoder.layerScale()
        && !encoder.gated()
        && encoder.outputBias();
  }

  private static Map<String, @Nullable Object> plainConfig(
      TimmVit vit, int imageSize, List<String> labels) {
    Encoder encoder = vit.encoder();
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put(
        "architectures",
        List.of(
            vit.distilled()
                ? "DeiTForImageClassificationWithTeacher"
                : "ViTForImageClassification"));
    config.put("model_type", vit.distilled() ? "deit" : "vit");
    config.put("image_size", imageSize);
    config.put("patch_size", vit.embeddings().patch().height());
    config.put("num_channels", vit.embeddings().channels());
    config.put("hidden_size", vit.embeddings().hidden());
    config.put("num_hidden_layers", encoder.layers());
    config.put("num_attention_heads", encoder.heads());
    config.put("intermediate_size", encoder.intermediate());
    config.put("hidden_act", activation(encoder.activation()));
    config.put("qkv_bias", encoder.queryBias());
    // The float's own digits: 1.0E-6 as a double would be 9.999999974752427E-7.
    config.put("layer_norm_eps", Double.parseDouble(Float.toString(encoder.epsilon())));
    config.put("hidden_dropout_prob", 0.0);
    config.put("attention_probs_dropout_prob", 0.0);
    Labels.put(config, labels);
    config.put("torch_dtype", "float32");
    return config;
  }

  private static String activation(Activation activation) {
    return switch (activation) {
      case GELU -> "gelu";
      case GELU_TANH -> "gelu_pytorch_tanh";
      case QUICK_GELU -> "quick_gelu";
      case RELU -> "relu";
      case SILU -> "silu";
      case TANH -> "tanh";
      case SIGMOID -> "sigmoid";
      case IDENTITY -> "linear";
    };
  }

  /** timm's evaluation transform as the processor that resizes the shorter edge and crops. */
  private static Map<String, @Nullable Object> preprocessor(
      Model model, Map<String, @Nullable Object> settings, int imageSize, int filter) {
    double share =
        settings.get("crop_pct") instanceof Number number && number.doubleValue() > 0
            ? number.doubleValue()
            : 0.875;
    int channels = model.channels();
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put("image_processor_type", "BitImageProcessor");
    config.put("do_resize", true);
    config.put("size", Map.of("shortest_edge", (int) Math.floor(imageSize / share)));
    config.put("resample", filter);
    config.put("do_center_crop", true);
    config.put("crop_size", NewVit.square(imageSize));
    config.put("do_rescale", true);
    config.put("rescale_factor", 1 / 255.0);
    config.put("do_normalize", true);
    config.put("image_mean", perChannel(settings.get("mean"), channels, IMAGENET_MEAN));
    config.put("image_std", perChannel(settings.get("std"), channels, IMAGENET_STD));
    return config;
  }

  private static List<Object> perChannel(
      @Nullable Object values, int channels, List<Double> fallback) {
    return values instanceof List<?> list && list.size() == channels
        ? list.stream().<Object>map(value -> value instanceof Number number ? number : 0.5).toList()
        : List.<Object>copyOf(fallback.subList(0, channels));
  }

  private static HfDirectory timm(
      Model model, Path path, Size image, Map<String, Tensor> tensors, List<String> labels)
      throws CheckpointException {
    Map<String, @Nullable Object> config = new LinkedHashMap<>(model.files().config());
    config.put("num_classes", labels.size());
    config.put("label_names", labels);
    config.remove("label_descriptions");
    Map<String, @Nullable Object> arguments = copy(config.get("model_args"));
    arguments.put("num_classes", labels.size());
    arguments.put("img_size", List.of(image.height(), image.width()));
    config.put("model_args", arguments);
    boolean nested = Json.asObject(config.get("pretrained_cfg")) != null;
    Map<String, @Nullable Object> settings = nested ? copy(config.get("pretrained_cfg")) : config;
    settings.put("num_classes", labels.size());
    settings.put("input_size", List.of(model.channels(), image.height(), image.width()));
    settings.remove("label_names");
    settings.remove("label_descriptions");
    config.put("label_names", labels);
    if (nested) {
      config.put("pretrained_cfg", settings);
    }
    boolean wrapped =
        model.files().tensors().keySet().stream().anyMatch(name -> name.startsWith("timm_model."));
    Map<String, Tensor> named = new HashMap<>();
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      String name = entry.getKey();
      // A head where there was none gets timm's name for it; the others' are known.
      String own =
          name.replace("distillation_classifier.", "head_dist.").replace("classifier.", "head.");
      named.put(
          model.weights().has(name) ? name : (wrapped ? "timm_model." : "") + own,
          entry.getValue());
    }
    return HfDirectory.of(path, config, null, model.weights().with(named));
  }

  private static Map<String, @Nullable Object> copy(@Nullable Object object) {
    Map<String, @Nullable Object> map = Json.asObject(object);
    return map == null ? new LinkedHashMap<>() : new LinkedHashMap<>(map);
  }
}
