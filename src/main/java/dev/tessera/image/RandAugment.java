package dev.tessera.image;

import java.util.Locale;

/**
 * A few operations drawn from a list, all of about one strength (Cubuk et al., "RandAugment:
 * Practical automated data augmentation with a reduced search space", 2019), as timm does it.
 *
 * @param magnitude strength, on a scale from 0 to 10
 * @param layers how many operations are drawn for an image
 * @param probability with which each of them is done
 * @param magnitudeStd standard deviation of the strength; above 100, strengths are drawn evenly
 *     from 0 to {@code magnitude}
 * @param magnitudeMax strengths are clipped to it
 * @param increasing whether all operations become stronger with the magnitude; in the original
 *     list, some become weaker
 */
public record RandAugment(
    double magnitude,
    int layers,
    double probability,
    double magnitudeStd,
    double magnitudeMax,
    boolean increasing) {

  private static final double SCALE = 10;

  /** What may be drawn. */
  enum Operation {
    AUTO_CONTRAST,
    EQUALIZE,
    INVERT,
    ROTATE,
    POSTERIZE,
    SOLARIZE,
    SOLARIZE_ADD,
    COLOR,
    CONTRAST,
    BRIGHTNESS,
    SHARPNESS,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y
  }

  private static final Operation[] OPERATIONS = Operation.values();

  public RandAugment {
    if (!(magnitude >= 0
        && layers >= 1
        && layers <= 100
        && probability >= 0
        && probability <= 1
        && magnitudeStd >= 0
        && magnitudeMax > 0)) {
      throw new IllegalArgumentException(
          "RandAugment needs magnitudes of at least 0, 1 to 100 layers and a probability from 0 to"
              + " 1");
    }
  }

  /**
   * What timm's {@code --aa} takes: {@code rand} and, joined by dashes, {@code m9} (magnitude, else
   * 10), {@code n2} (layers), {@code p0.5} (probability), {@code mstd0.5}, {@code mmax10} and
   * {@code inc1}.
   *
   * @throws IllegalArgumentException if {@code text} is not of this form
   */
  public static RandAugment parse(String text) {
    String[] parts = text.toLowerCase(Locale.ROOT).split("-", -1);
    if (!parts[0].equals("rand")) {
      throw unusable(text, parts[0]);
    }
    double magnitude = SCALE;
    int layers = 2;
    double probability = 0.5;
    double std = 0;
    double max = SCALE;
    boolean increasing = false;
    for (int i = 1; i < parts.length; i++) {
      String part = parts[i];
      int digits = 0;
      while (digits < part.length() && Character.isLetter(part.charAt(digits))) {
        digits++;
      }
      try {
        String value = part.substring(digits);
        switch (part.substring(0, digits)) {
          case "m" -> magnitude = Double.parseDouble(value);
          case "n" -> layers = Integer.parseInt(value);
          case "p" -> probability = Double.parseDouble(value);
          case "mstd" -> std = Double.parseDouble(value);
          case "mmax" -> max = Double.parseDouble(value);
          case "inc" -> increasing = Integer.parseInt(value) != 0;
          default -> throw unusable(text, part);
        }
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(unusable(text, part).getMessage(), e);
      }
    }
    return new RandAugment(magnitude, layers, probability, std, max, increasing);
  }

  private static IllegalArgumentException unusable(String text, String part) {
    return new IllegalArgumentException(
        "\"%s\" in \"%s\" is not understood; write RandAugment like rand-m9-mstd0.5-inc1"
            .formatted(part, text));
  }

  /**
   * A variant of {@code image}.
   *
   * @param fill RGB of what moves in from outside
   */
  RgbImage apply(RgbImage image, byte[] fill, Draws draws) {
    RgbImage result = image;
    for (int i = 0; i < layers; i++) {
      Operation operation = OPERATIONS[draws.below(OPERATIONS.length)];
      if (draws.chance(probability)) {
        result = apply(operation, result, level(draws), fill, draws);
      }
    }
    return result;
  }

  private double level(Draws draws) {
    double level = magnitude;
    if (magnitudeStd > 100) {
      level = draws.uniform(0, magnitude);
    } else if (magnitudeStd > 0) {
      level += magnitudeStd * draws.gaussian();
    }
    return Math.clamp(level, 0, magnitudeMax);
  }

  /** Does one operation with a strength of {@code level}. */
  RgbImage apply(Operation operation, RgbImage image, double level, byte[] fill, Draws draws) {
    double part = level / SCALE;
    return switch (operation) {
      case AUTO_CONTRAST -> PixelOps.autoContrast(image);
      case EQUALIZE -> PixelOps.equalize(image);
      case INVERT -> PixelOps.invert(image);
      case POSTERIZE -> {
        int bits = (int) (part * 4);
        yield PixelOps.posterize(image, Math.clamp(increasing ? 4 - bits : bits, 0, 8));
      }
      case SOLARIZE -> {
        int threshold = Math.min(256, (int) (part * 256));
        yield PixelOps.solarize(image, increasing ? 256 - threshold : threshold);
      }
      case SOLARIZE_ADD -> PixelOps.solarizeAdd(image, Math.min(128, (int) (part * 110)));
      case COLOR -> PixelOps.saturation(image, factor(part, draws));
      case CONTRAST -> PixelOps.contrast(image, factor(part, draws));
      case BRIGHTNESS -> PixelOps.brightness(image, factor(part, draws));
      case SHARPNESS -> PixelOps.sharpness(image, factor(part, draws));
      case ROTATE -> {
        double degrees = sign(draws) * part * 30;
        yield move(Affine.rotate(degrees, image.width(), image.height()), image, fill, draws);
      }
      case SHEAR_X -> move(Affine.shearX(sign(draws) * part * 0.3), image, fill, draws);
      case SHEAR_Y -> move(Affine.shearY(sign(draws) * part * 0.3), image, fill, draws);
      case TRANSLATE_X ->
          move(Affine.translate(sign(draws) * part * 0.45 * image.width(), 0), image, fill, draws);
      case TRANSLATE_Y ->
          move(Affine.translate(0, sign(draws) * part * 0.45 * image.height()), image, fill, draws);
    };
  }

  private double factor(double part, Draws draws) {
    return increasing ? Math.max(0.1, 1 + sign(draws) * part * 0.9) : part * 1.8 + 0.1;
  }

  private static int sign(Draws draws) {
    return draws.chance(0.5) ? 1 : -1;
  }

  private static RgbImage move(Affine affine, RgbImage image, byte[] fill, Draws draws) {
    return affine.apply(image, draws.chance(0.5), fill);
  }
}
