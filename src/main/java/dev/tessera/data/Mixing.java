package dev.tessera.data;

import dev.tessera.image.Draws;
import java.util.Arrays;
import java.util.Locale;

/**
 * Images of a batch are mixed with its images in reverse order, and their targets with them: mixup
 * (Zhang et al., 2017) blends whole images, CutMix (Yun et al., 2019) pastes a rectangle. As timm's
 * {@code Mixup} does it, with the corrected share where a rectangle leaves the image.
 *
 * @param mixupAlpha the share is drawn from Beta(alpha, alpha); 0 for no mixup
 * @param cutmixAlpha the same for CutMix
 * @param probability that anything is mixed
 * @param switchProbability of CutMix rather than mixup where both are on
 * @param mode what has a choice of its own
 * @param epochs after which nothing is mixed any more; 0 for never
 */
public record Mixing(
    double mixupAlpha,
    double cutmixAlpha,
    double probability,
    double switchProbability,
    Mode mode,
    int epochs) {

  /** What has a choice of its own. */
  public enum Mode {
    /** The whole batch. */
    BATCH,
    /** Each two images that are mixed with each other. */
    PAIR,
    /** Each image. */
    ELEMENT;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Nothing is mixed. */
  public static final Mixing NONE = new Mixing(0, 0, 0, 0, Mode.BATCH);

  public Mixing {
    if (!(mixupAlpha >= 0
        && cutmixAlpha >= 0
        && probability >= 0
        && probability <= 1
        && switchProbability >= 0
        && switchProbability <= 1
        && epochs >= 0)) {
      throw new IllegalArgumentException(
          "mixing needs alphas and epochs of at least 0 and probabilities from 0 to 1");
    }
  }

  /** In all epochs. */
  public Mixing(
      double mixupAlpha,
      double cutmixAlpha,
      double probability,
      double switchProbability,
      Mode mode) {
    this(mixupAlpha, cutmixAlpha, probability, switchProbability, mode, 0);
  }

  /** timm's way of using both: each batch is mixed, half of them by CutMix. */
  public static Mixing of(double mixupAlpha, double cutmixAlpha) {
    return new Mixing(mixupAlpha, cutmixAlpha, 1, 0.5, Mode.BATCH);
  }

  boolean active() {
    return probability > 0 && (mixupAlpha > 0 || cutmixAlpha > 0);
  }

  /**
   * Whether anything may be mixed in an epoch.
   *
   * @param epoch from 0 on
   */
  boolean activeIn(long epoch) {
    return active() && (epochs == 0 || epoch < epochs);
  }

  /**
   * What is done to one image: {@code share} of it stays. Of a rectangle, rows {@code top} to
   * {@code bottom} and columns {@code left} to {@code right}, the ends exclusive, come from the
   * other image; without one, all pixels are blended.
   */
  record Choice(float share, boolean rectangle, int top, int bottom, int left, int right) {
    static final Choice KEEP = new Choice(1, false, 0, 0, 0, 0);
  }

  /** The choice for image {@code index} of a batch of {@code size}. */
  Choice choose(int index, int size, int height, int width, long seed, long... batch) {
    long[] key = Arrays.copyOf(batch, batch.length + 1);
    key[batch.length] =
        switch (mode) {
          case BATCH -> 0;
          case PAIR -> Math.min(index, size - 1 - index);
          case ELEMENT -> index;
        };
    Draws draws = Draws.of(seed, key);
    if (!draws.chance(probability)) {
      return Choice.KEEP;
    }
    boolean cut = cutmixAlpha > 0 && (mixupAlpha == 0 || draws.chance(switchProbability));
    double share = draws.beta(cut ? cutmixAlpha : mixupAlpha);
    if (!cut) {
      return new Choice((float) share, false, 0, 0, 0, 0);
    }
    double side = Math.sqrt(1 - share);
    int rows = (int) (height * side);
    int columns = (int) (width * side);
    int y = draws.below(height);
    int x = draws.below(width);
    int top = Math.clamp(y - rows / 2, 0, height);
    int bottom = Math.clamp(y + (rows + 1) / 2, 0, height);
    int left = Math.clamp(x - columns / 2, 0, width);
    int right = Math.clamp(x + (columns + 1) / 2, 0, width);
    double pasted = (double) (bottom - top) * (right - left) / ((double) height * width);
    return new Choice((float) (1 - pasted), true, top, bottom, left, right);
  }

  /** Mixes {@code other} into {@code image}, both {@code [channels, height, width]}. */
  static void apply(Choice choice, float[] image, float[] other, int height, int width) {
    if (!choice.rectangle) {
      float share = choice.share;
      float rest = 1 - share;
      for (int i = 0; i < image.length; i++) {
        image[i] = image[i] * share + other[i] * rest;
      }
      return;
    }
    int columns = choice.right - choice.left;
    for (int plane = 0; plane < image.length; plane += height * width) {
      for (int y = choice.top; y < choice.bottom && columns > 0; y++) {
        int at = plane + y * width + choice.left;
        System.arraycopy(other, at, image, at, columns);
      }
    }
  }
}
