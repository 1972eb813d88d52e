package dev.tessera.cli;

import dev.tessera.model.NewVit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained. */
final class TrainModelOptions {
  @Option(
      names = {"-i", "--init"},
      paramLabel = "MODEL",
      description = {
        "Where to start: a model directory, or a new model of the size vit-nano, vit-micro,",
        "vit-tiny, vit-small or vit-base. Default: vit-micro for images up to 96 pixels, else",
        "vit-tiny."
      })
  @Nullable String init;

  @Option(
      names = "--image-size",
      paramLabel = "N",
      description = "Height and width in pixels. Default: the model's, or that of small images.")
  @Nullable Integer imageSize;

  @Option(
      names = "--patch-size",
      paramLabel = "N",
      description = "Of a new model: pixels a side. Default: the preset's.")
  @Nullable Integer patchSize;

  @Option(
      names = "--channels",
      paramLabel = "N",
      description = "Of a new model: 1 for gray, 3 for colour. Default: as the images are.")
  @Nullable Integer channels;

  @Option(
      names = "--hidden-size",
      paramLabel = "N",
      description = "Of a new model: width of a token. Default: the preset's.")
  @Nullable Integer hiddenSize;

  @Option(
      names = "--layers",
      paramLabel = "N",
      description = "Of a new model: Transformer blocks. Default: the preset's.")
  @Nullable Integer layers;

  @Option(
      names = "--heads",
      paramLabel = "N",
      description = "Of a new model: attention heads. Default: the preset's.")
  @Nullable Integer heads;

  @Option(
      names = "--mlp-ratio",
      paramLabel = "X",
      description = "Of a new model: width of the feed-forward layers over that of a token.")
  @Nullable Double mlpRatio;

  /** Whether {@link #init} names the size of a new model. */
  boolean isNew() {
    return init != null && NewVit.named().containsKey(init);
  }

  /** What was asked for, once {@link #init} and the rest are settled. */
  NewVit sizes() throws Failure {
    NewVit preset = NewVit.named().get(String.valueOf(init));
    if (preset == null) {
      throw new IllegalStateException(init + " is no preset");
    }
    try {
      return new NewVit(
          or(imageSize, preset.imageSize()),
          or(patchSize, preset.patchSize()),
          or(channels, preset.channels()),
          or(hiddenSize, preset.hidden()),
          or(layers, preset.layers()),
          or(heads, preset.heads()),
          mlpRatio == null ? preset.mlpRatio() : mlpRatio);
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  /** An option that only a new model has, though a trained one was asked for. */
  @Nullable String misplaced() {
    return patchSize != null
        ? "--patch-size"
        : channels != null
            ? "--channels"
            : hiddenSize != null
                ? "--hidden-size"
                : layers != null
                    ? "--layers"
                    : heads != null ? "--heads" : mlpRatio != null ? "--mlp-ratio" : null;
  }

  private static int or(@Nullable Integer value, int fallback) {
    return value == null ? fallback : value;
  }
}
