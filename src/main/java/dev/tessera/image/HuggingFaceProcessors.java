package dev.tessera.image;

import dev.tessera.image.Preprocessor.Crop;
import dev.tessera.image.Resample.Filter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * preprocessor_config.json of transformers 4 and 5. Keys that are absent take the defaults of the
 * processor's class in {@code transformers/models/<model>/image_processing_<model>.py}.
 */
final class HuggingFaceProcessors {
  private static final String FILE = "preprocessor_config.json";
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};

  private HuggingFaceProcessors() {}

  /** The processor classes and their defaults. */
  private enum Kind {
    VIT("ViTImageProcessor", Filter.BILINEAR, 224, 0),
    DEIT("DeiTImageProcessor", Filter.BICUBIC, 256, 224),
    CLIP("CLIPImageProcessor", Filter.BICUBIC, 224, 224),
    BIT("BitImageProcessor", Filter.BICUBIC, 224, 224),
    SIGLIP("SiglipImageProcessor", Filter.BICUBIC, 224, 0);

    final String type;
    final Filter filter;
    final int size;
    final int crop;

    Kind(String type, Filter filter, int size, int crop) {
      this.type = type;
      this.filter = filter;
      this.size = size;
      this.crop = crop;
    }

    /** Whether a size that is one number means the shorter edge. */
    boolean keepsRatio() {
      return this == CLIP || this == BIT || this == SIGLIP;
    }

    Scaling defaultScaling(int edge) {
      return this == CLIP || this == BIT
          ? new Scaling.ShortestEdge(edge)
          : new Scaling.Exact(edge, edge);
    }

    double[] mean() {
      return this == CLIP || this == BIT ? CLIP_MEAN : new double[] {0.5, 0.5, 0.5};
    }

    double[] std() {
      return this == CLIP || this == BIT ? CLIP_STD : new double[] {0.5, 0.5, 0.5};
    }

    static Kind of(String type) {
      // Pil and Fast name backends, FeatureExtractor is what processors were called before 4.26.
      String plain = type.replaceFirst("(Pil|Fast)$", "");
      String processor = plain.replaceFirst("FeatureExtractor$", "ImageProcessor");
      for (Kind kind : values()) {
        if (kind.type.equals(processor)) {
          return kind;
        }
      }
      throw new IllegalArgumentException(
          "%s: image processor %s is not supported (supported are those of ViT, DeiT, CLIP, BiT and "
                  .formatted(FILE, type)
              + "SigLIP)");
    }

    /** The processor that transformers takes for a model type where the file names none. */
    static Kind ofModel(String modelType) {
      return switch (modelType.toLowerCase(Locale.ROOT)) {
        case "deit" -> DEIT;
        case "clip", "clip_vision_model" -> CLIP;
        case "dinov2", "dinov2_with_registers", "bit" -> BIT;
        case "siglip", "siglip_vision_model" -> SIGLIP;
        default -> VIT;
      };
    }
  }

  static Preprocessor read(
      @Nullable Map<String, ? extends @Nullable Object> preprocessorConfig,
      Map<String, ? extends @Nullable Object> modelConfig) {
    Settings model = new Settings("config.json", modelConfig);
    Settings vision = model.object("vision_config");
    if (vision == null) {
      vision = model;
    }
    int channels = vision.size("num_channels", 3);
    Kind byModel = Kind.ofModel(model.text("model_type", "vit"));
    if (preprocessorConfig == null) {
      return absent(byModel, vision, channels);
    }
    Settings config = new Settings(FILE, preprocessorConfig);
    Settings nested = config.object("image_processor"); // processor_config.json of version 5
    if (nested != null) {
      config = nested;
    }
    String type = config.text("image_processor_type", config.text("feature_extractor_type", ""));
    Kind kind = type.isEmpty() ? byModel : Kind.of(type);
    return read(kind, config, vision, channels);
  }

  private static Preprocessor read(Kind kind, Settings config, Settings vision, int channels) {
    Scaling scaling = new Scaling.Keep();
    if (config.flag("do_resize", true)) {
      scaling = scaling(kind, config);
    }
    int height;
    int width;
    Crop crop = Crop.NONE;
    if (config.flag("do_center_crop", kind.crop > 0)) {
      int[] size = rectangle(config, "crop_size", kind.crop > 0 ? kind.crop : 224);
      height = size[0];
      width = size[1];
      crop = Crop.FLOOR;
    } else if (scaling instanceof Scaling.Exact exact) {
      height = exact.height();
      width = exact.width();
    } else if (scaling instanceof Scaling.Keep) {
      int[] size = modelSize(vision, kind.size);
      height = size[0];
      width = size[1];
    } else {
      throw new IllegalArgumentException(
          FILE + ": the size of the result would differ from image to image; set do_center_crop");
    }
    if (config.flag("do_pad", false) && config.has("pad_size")) {
      int[] padded = rectangle(config, "pad_size", 0);
      if (padded[0] != height || padded[1] != width) {
        throw config.unusable("pad_size", config.raw("pad_size"));
      }
    }
    double scale = 1;
    double offset = 0;
    if (config.flag("do_rescale", true)) {
      scale = config.number("rescale_factor", 1 / 255.0);
      offset = config.flag("offset", config.flag("rescale_offset", false)) ? 1 : 0;
    }
    double[] mean = {};
    double[] std = {};
    if (config.flag("do_normalize", true)) {
      mean = config.perChannel("image_mean", channels, kind.mean());
      std = config.perChannel("image_std", channels, kind.std());
    }
    return new Preprocessor(
        kind.type,
        channels,
        height,
        width,
        scaling,
        filter(config, kind.filter),
        crop,
        new int[3],
        Normalization.of(channels, scale, offset, mean, std));
  }

  /** Without preprocessor_config.json: the class defaults at the size the model was made for. */
  private static Preprocessor absent(Kind kind, Settings vision, int channels) {
    int[] size = modelSize(vision, kind.crop > 0 ? kind.crop : kind.size);
    Scaling scaling =
        switch (kind) {
          case VIT, SIGLIP -> new Scaling.Exact(size[0], size[1]);
          case DEIT -> new Scaling.Exact(size[0] * 8 / 7, size[1] * 8 / 7); // 256 for 224
          case CLIP, BIT -> new Scaling.ShortestEdge(Math.max(size[0], size[1]));
        };
    return new Preprocessor(
        kind.type,
        channels,
        size[0],
        size[1],
        scaling,
        kind.filter,
        kind.crop > 0 ? Crop.FLOOR : Crop.NONE,
        new int[3],
        Normalization.of(
            channels,
            1 / 255.0,
            0,
            java.util.Arrays.copyOf(kind.mean(), channels),
            java.util.Arrays.copyOf(kind.std(), channels)));
  }

  private static int[] modelSize(Settings vision, int absent) {
    return rectangle(vision, "image_size", absent);
  }

  private static Scaling scaling(Kind kind, Settings config) {
    Object size = config.raw("size");
    if (size == null) {
      return kind.defaultScaling(kind.size);
    }
    if (size instanceof Number) {
      int edge = config.size("size", size);
      return kind.keepsRatio() ? new Scaling.ShortestEdge(edge) : new Scaling.Exact(edge, edge);
    }
    Settings map = config.object("size");
    if (map == null || (map.has("height") && map.has("width"))) {
      int[] rectangle = rectangle(config, "size", 0);
      return new Scaling.Exact(rectangle[0], rectangle[1]);
    }
    if (map.has("shortest_edge")) {
      int shortest = map.size("shortest_edge", 0);
      return map.has("longest_edge")
          ? new Scaling.BoundedEdges(shortest, map.size("longest_edge", 0))
          : new Scaling.ShortestEdge(shortest);
    }
    throw config.unusable("size", size);
  }

  /** {@code {height, width}} given as one number, a list of two, or an object. */
  private static int[] rectangle(Settings config, String key, int absent) {
    Object value = config.raw(key);
    if (value == null) {
      return new int[] {absent, absent};
    }
    if (value instanceof List<?> list && list.size() == 2) {
      return new int[] {config.size(key, list.get(0)), config.size(key, list.get(1))};
    }
    Settings map = config.object(key);
    if (map == null) {
      int edge = config.size(key, value);
      return new int[] {edge, edge};
    }
    if (!map.has("height") || !map.has("width")) {
      throw config.unusable(key, value);
    }
    return new int[] {map.size("height", 0), map.size("width", 0)};
  }

  private static Filter filter(Settings config, Filter absent) {
    Object value = config.raw("resample");
    // Pillow's numbers.
    Filter[] numbered = {
      Filter.NEAREST, Filter.LANCZOS, Filter.BILINEAR, Filter.BICUBIC, Filter.BOX, Filter.HAMMING
    };
    if (value == null) {
      return absent;
    }
    if (value instanceof Number number
        && number.doubleValue() >= 0
        && number.doubleValue() < numbered.length) {
      return numbered[number.intValue()];
    }
    if (value instanceof String name) {
      for (Filter filter : Filter.values()) {
        if (filter.name().equalsIgnoreCase(name)) {
          return filter;
        }
      }
    }
    throw config.unusable("resample", value);
  }
}
