package dev.tessera.cli;

import dev.tessera.data.Mixing;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Augmentation.Crop;
import dev.tessera.image.ColorJitter;
import dev.tessera.image.RandAugment;
import dev.tessera.image.RandomErasing;
import dev.tessera.train.Recipe;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How training images are varied. */
final class TrainAugmentOptions {
  /** How much of an image is seen. */
  enum CropKind {
    NONE,
    SHIFT,
    RESIZED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = "--crop",
      paramLabel = "HOW",
      description = {
        "${COMPLETION-CANDIDATES}: the model's own crop, that shifted by some pixels, or random",
        "parts of the image. Default: shift for images up to 96 pixels, else resized."
      })
  @Nullable CropKind crop;

  @Option(
      names = "--shift",
      paramLabel = "N",
      description = "Most pixels of --crop shift. Default: an eighth of the image.")
  @Nullable Integer shift;

  @Option(
      names = "--min-scale",
      paramLabel = "X",
      description = {
        "Least part of an image that --crop resized leaves. Default: 0.08 for new models, 0.35",
        "for trained ones."
      })
  @Nullable Double minScale;

  @Option(
      names = "--flip",
      paramLabel = "X",
      description = {
        "Probability of mirroring an image. Default: 0.5, but 0 where all classes are numbers,",
        "which may be digits."
      })
  @Nullable Double flip;

  @Option(
      names = "--vertical-flip",
      paramLabel = "X",
      defaultValue = "0",
      description = "Probability of turning an image upside down. Default: ${DEFAULT-VALUE}.")
  double verticalFlip;

  @Option(
      names = "--rand-augment",
      paramLabel = "POLICY",
      description = "timm's RandAugment, such as rand-m9-mstd0.5-inc1. Default: none.")
  @Nullable String randAugment;

  @Option(
      names = "--color-jitter",
      paramLabel = "X",
      defaultValue = "0",
      description = "Strength of changes to brightness, contrast and saturation. Default: 0.")
  double colorJitter;

  @Option(
      names = "--erasing",
      paramLabel = "X",
      description = "Probability of erasing a rectangle. Default: 0.1 for new models, else 0.")
  @Nullable Double erasing;

  @Option(
      names = "--mixup",
      paramLabel = "X",
      description =
          "Strength of blending pairs of images. Default: 0.2 for new models on few images.")
  @Nullable Double mixup;

  @Option(
      names = "--cutmix",
      paramLabel = "X",
      description = "Strength of pasting parts of images. Default: 1 for new models on few images.")
  @Nullable Double cutmix;

  @Option(
      names = "--mix-probability",
      paramLabel = "X",
      defaultValue = "0.5",
      description = "Of mixing a batch at all. Default: ${DEFAULT-VALUE}.")
  double mixProbability;

  @Option(
      names = "--mixup-off-epoch",
      paramLabel = "N",
      defaultValue = "0",
      description = {
        "Mix nothing after this many epochs, so that a training ends with images as they are.",
        "Default: mix to the end."
      })
  int mixupOffEpoch;

  /** Fills in what nobody said. */
  void settle(Recipe recipe, int imageSize, boolean trained, List<String> classes) {
    if (crop == null) {
      crop = imageSize <= 96 ? CropKind.SHIFT : CropKind.RESIZED;
    }
    if (shift == null) {
      shift = imageSize / 8;
    }
    if (minScale == null) {
      minScale = trained ? 0.35 : 0.08;
    }
    if (flip == null) {
      flip = classes.stream().allMatch(name -> name.matches("\\d+")) ? 0 : 0.5;
    }
    if (erasing == null) {
      erasing = recipe.erasing();
    }
    if (mixup == null) {
      mixup = recipe.mixup();
    }
    if (cutmix == null) {
      cutmix = recipe.cutmix();
    }
  }

  Augmentation augmentation() {
    double erased = or(erasing);
    Augmentation basic =
        new Augmentation(
            0,
            switch (crop == null ? CropKind.NONE : crop) {
              case NONE -> new Crop.Preprocessed();
              case SHIFT -> new Crop.PadAndCrop(shift == null ? 0 : shift, false);
              case RESIZED -> Crop.RandomResized.ofScale(minScale == null ? 1 : minScale, 1);
            },
            or(flip),
            verticalFlip,
            erased > 0 ? RandomErasing.of(erased, RandomErasing.Mode.CONST) : null);
    if (colorJitter != 0) {
      basic = basic.withColorJitter(ColorJitter.of(colorJitter));
    }
    return randAugment == null ? basic : basic.withRandAugment(RandAugment.parse(randAugment));
  }

  /** For people. */
  String describe() {
    StringBuilder text = new StringBuilder();
    switch (crop == null ? CropKind.NONE : crop) {
      case NONE -> text.append("the whole image");
      case SHIFT -> text.append("shifted by up to ").append(shift).append(" pixels");
      case RESIZED -> text.append("random parts of at least ").append(minScale);
    }
    append(text, "mirrored", or(flip));
    append(text, "upside down", verticalFlip);
    if (randAugment != null) {
      text.append(", RandAugment ").append(randAugment);
    }
    append(text, "colour jitter", colorJitter);
    append(text, "erasing", or(erasing));
    append(text, "mixup", or(mixup));
    append(text, "CutMix", or(cutmix));
    if (or(mixup) + or(cutmix) > 0) {
      append(text, "batches mixed", mixProbability);
      if (mixupOffEpoch > 0) {
        text.append(" up to epoch ").append(mixupOffEpoch);
      }
    }
    return text.toString();
  }

  private static void append(StringBuilder text, String name, double value) {
    if (value > 0) {
      text.append(", ").append(name).append(' ').append(value);
    }
  }

  Mixing mixing() {
    return or(mixup) == 0 && or(cutmix) == 0
        ? Mixing.NONE
        : new Mixing(or(mixup), or(cutmix), mixProbability, 0.5, Mixing.Mode.BATCH, mixupOffEpoch);
  }

  private static double or(@Nullable Double value) {
    return value == null ? 0 : value;
  }
}
