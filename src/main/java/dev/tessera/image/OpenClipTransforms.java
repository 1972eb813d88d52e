package dev.tessera.image;

import dev.tessera.image.Preprocessor.Crop;
import dev.tessera.image.Resample.Filter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** open_clip's evaluation transform: {@code image_transform_v2} with its {@code preprocess_cfg}. */
final class OpenClipTransforms {
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};
  private static final int CHANNELS = 3;

  private OpenClipTransforms() {}

  static Preprocessor read(Map<String, ? extends @Nullable Object> json) {
    Settings root = new Settings("open_clip_config.json", json);
    Settings preprocess = orEmpty(root.object("preprocess_cfg"));
    Settings vision = orEmpty(orEmpty(root.object("model_cfg")).object("vision_cfg"));
    int[] size = size(vision, "image_size", new int[] {224, 224});
    size = size(preprocess, "size", size);
    Filter filter;
    String name = preprocess.text("interpolation", "bicubic");
    try {
      filter = Filter.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw preprocess.unusable("interpolation", name);
    }
    String mode = preprocess.text("resize_mode", "shortest");
    boolean square = size[0] == size[1];
    Scaling scaling =
        switch (mode) {
          case "shortest" ->
              square
                  ? new Scaling.ShortestEdge(size[0])
                  : new Scaling.KeepRatio(size[0], size[1], false);
          case "longest" -> new Scaling.KeepRatio(size[0], size[1], true);
          case "squash" -> new Scaling.Exact(size[0], size[1]);
          default -> throw preprocess.unusable("resize_mode", mode);
        };
    int fill = (int) Math.clamp(preprocess.number("fill_color", 0), 0, 255);
    return new Preprocessor(
        "open_clip",
        CHANNELS,
        size[0],
        size[1],
        scaling,
        filter,
        Crop.HALF_EVEN,
        new int[] {fill, fill, fill},
        Normalization.of(
            CHANNELS,
            1 / 255.0,
            0,
            preprocess.perChannel("mean", CHANNELS, CLIP_MEAN),
            preprocess.perChannel("std", CHANNELS, CLIP_STD)));
  }

  private static Settings orEmpty(@Nullable Settings settings) {
    return settings == null ? new Settings("open_clip_config.json", Map.of()) : settings;
  }

  /** One number, or height and width. */
  private static int[] size(Settings settings, String key, int[] absent) {
    Object value = settings.raw(key);
    if (value == null) {
      return absent;
    }
    if (value instanceof List<?> list && list.size() == 2) {
      return new int[] {settings.size(key, list.getFirst()), settings.size(key, list.getLast())};
    }
    int edge = settings.size(key, value);
    return new int[] {edge, edge};
  }
}
