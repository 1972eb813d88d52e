package dev.tessera.image;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How training images are varied, in the order and with the meaning of timm's training transforms:
 * crop, flips, RandAugment, colour jitter, and erasing after normalisation. {@link Augmenter} does
 * it.
 *
 * @param sourceEdge images whose shorter side is longer are first reduced to it, which makes
 *     decoded images small enough to be kept; 0 for never
 * @param crop what part of the image is seen, and how large
 * @param horizontalFlip probability
 * @param verticalFlip probability
 * @param randAugment or null for none
 * @param colorJitter or null for none; timm leaves it out where there is RandAugment
 * @param randomErasing or null for none
 */
public record Augmentation(
    int sourceEdge,
    Crop crop,
    double horizontalFlip,
    double verticalFlip,
    @Nullable RandAugment randAugment,
    @Nullable ColorJitter colorJitter,
    @Nullable RandomErasing randomErasing) {

  /** What part of an image is seen. */
  public sealed interface Crop {
    /** The checkpoint's own resizing and cropping: no variation. */
    record Preprocessed() implements Crop {}

    /**
     * The checkpoint's own resizing and cropping, then shifted by up to {@code padding} pixels, as
     * if it had been padded and cropped: for small images.
     *
     * @param reflect whether the image is mirrored at its edges; otherwise black moves in
     */
    record PadAndCrop(int padding, boolean reflect) implements Crop {
      public PadAndCrop {
        if (padding < 0) {
          throw new IllegalArgumentException("padding must not be negative, but is " + padding);
        }
      }
    }

    /**
     * A part of random area and aspect ratio, resized to the model's input (Szegedy et al., "Going
     * deeper with convolutions", 2014).
     *
     * @param minScale least part of the area, above 0
     * @param maxScale most, at most 1
     * @param minRatio least width divided by height
     * @param maxRatio most
     * @param filters one of them is drawn for each image
     */
    record RandomResized(
        double minScale,
        double maxScale,
        double minRatio,
        double maxRatio,
        List<Resample.Filter> filters)
        implements Crop {
      public RandomResized {
        filters = List.copyOf(filters);
        if (!(minScale > 0
            && maxScale >= minScale
            && maxScale <= 1
            && minRatio > 0
            && maxRatio >= minRatio
            && !filters.isEmpty())) {
          throw new IllegalArgumentException(
              "a random resized crop needs 0 < scales <= 1, positive ratios, least first, and a"
                  + " filter");
        }
      }

      /** Aspect ratios from 3:4 to 4:3, bilinear or bicubic, as timm's. */
      public static RandomResized ofScale(double minScale, double maxScale) {
        return new RandomResized(
            minScale,
            maxScale,
            3.0 / 4,
            4.0 / 3,
            List.of(Resample.Filter.BILINEAR, Resample.Filter.BICUBIC));
      }
    }
  }

  /** No variation at all: what evaluation uses. */
  public static final Augmentation NONE =
      new Augmentation(0, new Crop.Preprocessed(), 0, 0, null, null, null);

  public Augmentation {
    if (sourceEdge < 0
        || !(horizontalFlip >= 0 && horizontalFlip <= 1)
        || !(verticalFlip >= 0 && verticalFlip <= 1)) {
      throw new IllegalArgumentException(
          "flips need probabilities from 0 to 1, and the source edge must not be negative");
    }
  }

  /** Without RandAugment and colour jitter. */
  public Augmentation(
      int sourceEdge,
      Crop crop,
      double horizontalFlip,
      double verticalFlip,
      @Nullable RandomErasing randomErasing) {
    this(sourceEdge, crop, horizontalFlip, verticalFlip, null, null, randomErasing);
  }

  /**
   * For photographs, timm's defaults: random resized crops of 8 % to 100 % of the area, half of
   * them mirrored, colours jittered by 0.4.
   */
  public static Augmentation photos() {
    return NONE.withCrop(Crop.RandomResized.ofScale(0.08, 1))
        .withHorizontalFlip(0.5)
        .withColorJitter(ColorJitter.of(0.4));
  }

  /** For small images: shifted by up to {@code padding} pixels, half of them mirrored. */
  public static Augmentation small(int padding) {
    return NONE.withCrop(new Crop.PadAndCrop(padding, false)).withHorizontalFlip(0.5);
  }

  public Augmentation withSourceEdge(int value) {
    return new Augmentation(
        value, crop, horizontalFlip, verticalFlip, randAugment, colorJitter, randomErasing);
  }

  public Augmentation withCrop(Crop value) {
    return new Augmentation(
        sourceEdge, value, horizontalFlip, verticalFlip, randAugment, colorJitter, randomErasing);
  }

  public Augmentation withHorizontalFlip(double value) {
    return new Augmentation(
        sourceEdge, crop, value, verticalFlip, randAugment, colorJitter, randomErasing);
  }

  public Augmentation withVerticalFlip(double value) {
    return new Augmentation(
        sourceEdge, crop, horizontalFlip, value, randAugment, colorJitter, randomErasing);
  }

  public Augmentation withRandAugment(@Nullable RandAugment value) {
    return new Augmentation(
        sourceEdge, crop, horizontalFlip, verticalFlip, value, colorJitter, randomErasing);
  }

  public Augmentation withColorJitter(@Nullable ColorJitter value) {
    return new Augmentation(
        sourceEdge, crop, horizontalFlip, verticalFlip, randAugment, value, randomErasing);
  }

  public Augmentation withRandomErasing(@Nullable RandomErasing value) {
    return new Augmentation(
        sourceEdge, crop, horizontalFlip, verticalFlip, randAugment, colorJitter, value);
  }
}
