package dev.tessera.image;

/**
 * Random changes of colour, in random order: torchvision's {@code ColorJitter}.
 *
 * @param brightness the factor is drawn from 1 - brightness to 1 + brightness, and so on; at least
 *     0
 * @param contrast at least 0
 * @param saturation at least 0
 * @param hue most part of a whole turn, from 0 to 0.5
 */
public record ColorJitter(double brightness, double contrast, double saturation, double hue) {
  public ColorJitter {
    if (!(brightness >= 0 && contrast >= 0 && saturation >= 0 && hue >= 0 && hue <= 0.5)) {
      throw new IllegalArgumentException(
          "colour jitter needs strengths of at least 0, and a hue of at most 0.5");
    }
  }

  /** timm's {@code --color-jitter}: brightness, contrast and saturation alike, no hue. */
  public static ColorJitter of(double strength) {
    return new ColorJitter(strength, strength, strength, 0);
  }

  RgbImage apply(RgbImage image, Draws draws) {
    int[] order = {0, 1, 2, 3};
    for (int i = 3; i > 0; i--) {
      int j = draws.below(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    RgbImage result = image;
    for (int operation : order) {
      result =
          switch (operation) {
            case 0 ->
                brightness == 0 ? result : PixelOps.brightness(result, factor(brightness, draws));
            case 1 -> contrast == 0 ? result : PixelOps.contrast(result, factor(contrast, draws));
            case 2 ->
                saturation == 0 ? result : PixelOps.saturation(result, factor(saturation, draws));
            default -> hue == 0 ? result : PixelOps.hue(result, draws.uniform(-hue, hue));
          };
    }
    return result;
  }

  private static double factor(double strength, Draws draws) {
    return draws.uniform(Math.max(0, 1 - strength), 1 + strength);
  }
}
