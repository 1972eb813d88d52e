package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.image.Resample.Filter;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class ResamplePropertiesTest {
  private static RgbImage random(int width, int height, long seed) {
    byte[] pixels = new byte[3 * width * height];
    new Random(seed).nextBytes(pixels);
    return new RgbImage(width, height, pixels);
  }

  @Property(tries = 1000)
  void isTheRoundedSumInDoubles(
      @ForAll Filter filter,
      @ForAll @IntRange(min = 1, max = 40) int width,
      @ForAll @IntRange(min = 1, max = 40) int height,
      @ForAll @IntRange(min = 1, max = 40) int newWidth,
      @ForAll @IntRange(min = 1, max = 40) int newHeight,
      @ForAll long seed) {
    if (filter == Filter.NEAREST) {
      return;
    }
    RgbImage image = random(width, height, seed);
    RgbImage actual = Resample.resize(image, newWidth, newHeight, filter);
    double[][] horizontal = weights(width, newWidth, filter);
    double[][] vertical = weights(height, newHeight, filter);
    for (int y = 0; y < newHeight; y++) {
      for (int x = 0; x < newWidth; x++) {
        for (int c = 0; c < 3; c++) {
          double sum = 0;
          double slack = 0.51; // rounding, and 22-bit weights
          for (int j = 0; j < height; j++) {
            double row = 0;
            for (int i = 0; i < width; i++) {
              row += horizontal[x][i] * (image.pixels()[3 * (j * width + i) + c] & 0xff);
            }
            if (width != newWidth) {
              // The intermediate picture has 8 bits. What lies between two may fall either way.
              double fraction = row - Math.floor(row);
              slack += Math.abs(fraction - 0.5) < 0.01 ? Math.abs(vertical[y][j]) : 0;
              row = Math.clamp(Math.floor(row + 0.5), 0, 255);
            }
            sum += vertical[y][j] * row;
          }
          int value = actual.pixels()[3 * (y * newWidth + x) + c] & 0xff;
          assertThat((double) value)
              .isBetween(
                  Math.clamp(sum - slack, 0, 255 - slack), Math.clamp(sum + slack, slack, 255));
        }
      }
    }
  }

  /** {@code [out][in]}, from the definition: every input pixel is asked for its weight. */
  private static double[][] weights(int in, int out, Filter filter) {
    double[][] weights = new double[out][in];
    double scale = (double) in / out;
    double stretch = Math.max(1, scale);
    for (int o = 0; o < out; o++) {
      double center = (o + 0.5) * scale;
      double support = filter.support() * stretch;
      int from = Math.max(0, (int) (center - support + 0.5));
      int to = Math.min(in, (int) (center + support + 0.5));
      for (int i = from; i < to; i++) {
        weights[o][i] = in == out ? (i == o ? 1 : 0) : filter.weight((i + 0.5 - center) / stretch);
      }
      double total = Arrays.stream(weights[o]).sum();
      for (int i = 0; i < in; i++) {
        weights[o][i] /= total;
      }
    }
    return weights;
  }

  @Property(tries = 200)
  void keepsAPictureOfTheSameSize(
      @ForAll Filter filter,
      @ForAll @IntRange(min = 1, max = 50) int width,
      @ForAll @IntRange(min = 1, max = 50) int height,
      @ForAll long seed) {
    RgbImage image = random(width, height, seed);
    assertThat(Resample.resize(image, width, height, filter).pixels()).isEqualTo(image.pixels());
  }

  @Property(tries = 200)
  void keepsAFlatColour(
      @ForAll Filter filter,
      @ForAll @IntRange(min = 1, max = 60) int width,
      @ForAll @IntRange(min = 1, max = 60) int height,
      @ForAll @IntRange(min = 1, max = 60) int newWidth,
      @ForAll @IntRange(min = 1, max = 60) int newHeight,
      @ForAll byte colour) {
    byte[] pixels = new byte[3 * width * height];
    Arrays.fill(pixels, colour);
    RgbImage resized =
        Resample.resize(new RgbImage(width, height, pixels), newWidth, newHeight, filter);
    for (byte value : resized.pixels()) {
      assertThat(value).isEqualTo(colour);
    }
  }

  @Property(tries = 200)
  void partsEqualTheWhole(
      @ForAll Filter filter,
      @ForAll @IntRange(min = 1, max = 30) int width,
      @ForAll @IntRange(min = 1, max = 400) int height,
      @ForAll @IntRange(min = 1, max = 30) int newWidth,
      @ForAll @IntRange(min = 1, max = 30) int newHeight,
      @ForAll long seed) {
    RgbImage image = random(width, height, seed);
    Random random = new Random(seed);
    int left = random.nextInt(newWidth);
    int top = random.nextInt(newHeight);
    int w = 1 + random.nextInt(newWidth - left);
    int h = 1 + random.nextInt(newHeight - top);
    RgbImage whole = Resample.resize(image, newWidth, newHeight, filter);
    RgbImage part = Resample.resize(image, newWidth, newHeight, filter, left, top, w, h);
    for (int y = 0; y < h; y++) {
      int from = 3 * ((top + y) * newWidth + left);
      assertThat(Arrays.copyOfRange(part.pixels(), 3 * y * w, 3 * (y + 1) * w))
          .isEqualTo(Arrays.copyOfRange(whole.pixels(), from, from + 3 * w));
    }
  }

  @Property(tries = 100)
  void turningBackRestoresThePicture(
      @ForAll @IntRange(min = 1, max = 8) int exif,
      @ForAll @IntRange(min = 1, max = 20) int width,
      @ForAll @IntRange(min = 1, max = 20) int height,
      @ForAll long seed) {
    int[] inverse = {1, 2, 3, 4, 5, 8, 7, 6};
    RgbImage image = random(width, height, seed);
    RgbImage turned = Orientation.of(exif).apply(image);
    assertThat(turned.width()).isEqualTo(exif >= 5 ? height : width);
    RgbImage back = Orientation.of(inverse[exif - 1]).apply(turned);
    assertThat(back.pixels()).isEqualTo(image.pixels());
  }
}
