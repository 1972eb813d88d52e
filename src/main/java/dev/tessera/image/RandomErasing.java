package dev.tessera.image;

import java.util.Locale;

/**
 * Rectangles of the normalised image are overwritten (Zhong et al., "Random erasing data
 * augmentation", 2017), with the choices and defaults of timm's {@code RandomErasing}.
 *
 * @param probability that anything is erased
 * @param mode what is written
 * @param minArea of all rectangles together, as a part of the image
 * @param maxArea of all rectangles together
 * @param minAspect smallest height divided by width; the largest is its inverse
 * @param maxCount most rectangles; the number is drawn from 1 to this
 */
public record RandomErasing(
    double probability, Mode mode, double minArea, double maxArea, double minAspect, int maxCount) {

  /** What is written into a rectangle. */
  public enum Mode {
    /** 0, which is the mean colour. */
    CONST,
    /** One normally distributed colour. */
    RAND,
    /** A normally distributed value for every sample. */
    PIXEL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final int ATTEMPTS = 10;

  public RandomErasing {
    if (!(probability >= 0
        && probability <= 1
        && minArea > 0
        && maxArea >= minArea
        && maxArea <= 1
        && minAspect > 0
        && minAspect <= 1
        && maxCount >= 1)) {
      throw new IllegalArgumentException(
          "random erasing needs a probability from 0 to 1, areas in (0, 1], an aspect ratio in"
              + " (0, 1] and a count of at least 1");
    }
  }

  /** timm's defaults: one rectangle of 2 % to a third of the image. */
  public static RandomErasing of(double probability, Mode mode) {
    return new RandomErasing(probability, mode, 0.02, 1.0 / 3, 0.3, 1);
  }

  /** Erases in {@code [channels, height, width]} floats from {@code offset} on. */
  void apply(float[] values, int offset, int channels, int height, int width, Draws draws) {
    if (!draws.chance(probability)) {
      return;
    }
    int count = maxCount == 1 ? 1 : 1 + draws.below(maxCount);
    double widest = -StrictMath.log(minAspect);
    for (int i = 0; i < count; i++) {
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        double area = draws.uniform(minArea, maxArea) * height * width / count;
        double aspect = StrictMath.exp(draws.uniform(-widest, widest));
        int rows = (int) Math.rint(Math.sqrt(area * aspect));
        int columns = (int) Math.rint(Math.sqrt(area / aspect));
        if (rows < height && columns < width) {
          int top = draws.below(height - rows + 1);
          int left = draws.below(width - columns + 1);
          for (int c = 0; c < channels; c++) {
            int from = offset + (c * height + top) * width + left;
            fill(values, from, rows, columns, width, draws);
          }
          break;
        }
      }
    }
  }

  private void fill(float[] values, int from, int rows, int columns, int stride, Draws draws) {
    float level = mode == Mode.RAND ? (float) draws.gaussian() : 0;
    for (int y = 0; y < rows; y++) {
      for (int x = from + y * stride; x < from + y * stride + columns; x++) {
        values[x] = mode == Mode.PIXEL ? (float) draws.gaussian() : level;
      }
    }
  }
}
