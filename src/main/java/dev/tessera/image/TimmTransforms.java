package dev.tessera.image;

import dev.tessera.image.Preprocessor.Crop;
import dev.tessera.image.Resample.Filter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * timm's evaluation transform: {@code transforms_imagenet_eval} with {@code resolve_data_config}.
 */
final class TimmTransforms {
  private static final double[] IMAGENET_MEAN = {0.485, 0.456, 0.406};
  private static final double[] IMAGENET_STD = {0.229, 0.224, 0.225};

  private TimmTransforms() {}

  static Preprocessor read(Map<String, ? extends @Nullable Object> json) {
    Settings root = new Settings("config.json", json);
    Settings nested = root.object("pretrained_cfg");
    Settings config = nested == null ? root : nested;
    int[] input = inputSize(root, config);
    int channels = input[0];
    int height = input[1];
    int width = input[2];
    double crop = config.number("crop_pct", 0.875);
    if (crop == 0) {
      crop = 0.875; // as timm: a falsy value means the default
    } else if (!(crop > 0.01 && crop <= 10)) {
      throw config.unusable("crop_pct", crop);
    }
    int scaledHeight = (int) Math.floor(height / crop);
    int scaledWidth = (int) Math.floor(width / crop);
    double[] mean = config.perChannel("mean", channels, IMAGENET_MEAN);
    double[] std = config.perChannel("std", channels, IMAGENET_STD);
    Filter filter = filter(config);
    int[] border = new int[3];
    Scaling scaling;
    switch (config.text("crop_mode", "center")) {
      case "squash" -> scaling = new Scaling.Exact(scaledHeight, scaledWidth);
      case "border" -> {
        scaling = new Scaling.KeepRatio(scaledHeight, scaledWidth, true);
        for (int c = 0; c < channels; c++) {
          border[c] = (int) Math.clamp(Math.rint(255 * mean[c]), 0, 255);
        }
      }
      default -> {
        if (scaledHeight == scaledWidth) {
          scaling = new Scaling.ShortestEdge(scaledHeight);
        } else {
          scaling = new Scaling.KeepRatio(scaledHeight, scaledWidth, false);
          filter = Filter.BILINEAR; // timm does not hand its filter on in this case
        }
      }
    }
    return new Preprocessor(
        "timm",
        channels,
        height,
        width,
        scaling,
        filter,
        Crop.HALF_EVEN,
        border,
        Normalization.of(channels, 1 / 255.0, 0, mean, std));
  }

  /** {@code {channels, height, width}}. */
  private static int[] inputSize(Settings root, Settings config) {
    Object input = config.raw("input_size");
    if (input instanceof List<?> list && list.size() == 3) {
      return new int[] {
        config.size("input_size", list.get(0)),
        config.size("input_size", list.get(1)),
        config.size("input_size", list.get(2))
      };
    }
    if (input != null) {
      throw config.unusable("input_size", input);
    }
    Settings model = root.object("model_args");
    int channels = 3;
    int height = 224;
    int width = 224;
    if (model != null) {
      channels = model.size("in_chans", 3);
      if (model.raw("img_size") instanceof List<?> list && list.size() == 2) {
        height = model.size("img_size", list.get(0));
        width = model.size("img_size", list.get(1));
      } else {
        height = model.size("img_size", 224);
        width = height;
      }
    }
    return new int[] {channels, height, width};
  }

  private static Filter filter(Settings config) {
    String name = config.text("interpolation", "bicubic");
    if (name.equals("random")) {
      return Filter
          .BILINEAR; // a training setting; timm's random choice is between this and bicubic
    }
    try {
      return Filter.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw config.unusable("interpolation", name);
    }
  }
}
