package dev.tessera.image;

import java.util.Arrays;

/**
 * Pillow's 8-bit {@code Image.resize}, bit for bit.
 *
 * <p>Separable convolution whose support grows with the reduction (so it antialiases), weights in
 * 22-bit fixed point, the horizontal pass first (unless the picture is more than 100 times as high
 * as wide), rounding to 8 bits between the passes. After Pillow's {@code src/libImaging/Resample.c}
 * and, for {@link Filter#NEAREST}, {@code Geometry.c}.
 */
public final class Resample {
  private static final int PRECISION_BITS = 32 - 8 - 2;
  private static final int HALF = 1 << (PRECISION_BITS - 1);

  private Resample() {}

  /** The whole of {@code image} at {@code width} by {@code height} pixels. */
  public static RgbImage resize(RgbImage image, int width, int height, Filter filter) {
    return resize(image, width, height, filter, 0, 0, width, height);
  }

  /**
   * A part of the resized image, at the cost of that part only: what cropping {@code resize(image,
   * width, height, filter)} to the {@code cropWidth} by {@code cropHeight} pixels at ({@code left},
   * {@code top}) gives. The part must lie inside.
   */
  public static RgbImage resize(
      RgbImage image,
      int width,
      int height,
      Filter filter,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    if (left < 0
        || top < 0
        || cropWidth < 1
        || cropHeight < 1
        || left > width - cropWidth
        || top > height - cropHeight) {
      throw new IllegalArgumentException(
          "%dx%d at (%d, %d) is not inside %dx%d"
              .formatted(cropWidth, cropHeight, left, top, width, height));
    }
    if (filter == Filter.NEAREST) {
      return nearest(image, width, height, left, top, cropWidth, cropHeight);
    }
    if (image.height() > 100 * image.width() && height < image.height()) {
      // Pillow turns the passes round for extremely tall pictures.
      RgbImage low = twoPass(image, image.width(), height, filter, 0, top, image.width(), cropHeight);
      return twoPass(low, width, cropHeight, filter, left, 0, cropWidth, cropHeight);
    }
    return twoPass(image, width, height, filter, left, top, cropWidth, cropHeight);
  }

  private static RgbImage twoPass(
      RgbImage image,
      int width,
      int height,
      Filter filter,
      int left,
      int top,
      int cropWidth,
      int cropHeight) {
    Weights vertical = Weights.of(image.height(), height, top, cropHeight, filter);
    // Only the rows that the vertical pass will read are resampled horizontally.
    int firstRow = vertical.start(0);
    int rows = vertical.start(cropHeight - 1) + vertical.count(cropHeight - 1) - firstRow;
    byte[] across;
    if (width == image.width()) {
      across = columns(image, left, cropWidth, firstRow, rows);
    } else {
      Weights horizontal = Weights.of(image.width(), width, left, cropWidth, filter);
      across = horizontalPass(image, horizontal, firstRow, rows);
    }
    byte[] pixels =
        height == image.height() ? across : verticalPass(across, cropWidth, vertical, firstRow);
    return new RgbImage(cropWidth, cropHeight, pixels);
  }

  private static byte[] columns(RgbImage image, int left, int width, int firstRow, int rows) {
    if (left == 0 && width == image.width() && firstRow == 0 && rows == image.height()) {
      return image.pixels().clone();
    }
    byte[] target = new byte[3 * width * rows];
    for (int y = 0; y < rows; y++) {
      int from = 3 * ((firstRow + y) * image.width() + left);
      System.arraycopy(image.pixels(), from, target, 3 * width * y, 3 * width);
    }
    return target;
  }

  private static byte[] horizontalPass(RgbImage image, Weights weights, int firstRow, int rows) {
    byte[] source = image.pixels();
    int width = weights.size();
    int[] kernel = weights.values;
    byte[] target = new byte[3 * width * rows];
    int to = 0;
    for (int y = 0; y < rows; y++) {
      int row = 3 * (firstRow + y) * image.width();
      for (int x = 0; x < width; x++) {
        int from = row + 3 * weights.starts[x];
        int red = HALF;
        int green = HALF;
        int blue = HALF;
        for (int k = weights.offsets[x]; k < weights.offsets[x + 1]; k++) {
          int weight = kernel[k];
          red += (source[from] & 0xff) * weight;
          green += (source[from + 1] & 0xff) * weight;
          blue += (source[from + 2] & 0xff) * weight;
          from += 3;
        }
        target[to] = clip(red);
        target[to + 1] = clip(green);
        target[to + 2] = clip(blue);
        to += 3;
      }
    }
    return target;
  }

  private static byte[] verticalPass(byte[] source, int width, Weights weights, int firstRow) {
    int stride = 3 * width;
    byte[] target = new byte[stride * weights.size()];
    int[] sums = new int[stride];
    for (int y = 0; y < weights.size(); y++) {
      Arrays.fill(sums, HALF);
      int row = (weights.starts[y] - firstRow) * stride;
      for (int k = weights.offsets[y]; k < weights.offsets[y + 1]; k++, row += stride) {
        addRow(sums, source, row, weights.values[k]);
      }
      int to = y * stride;
      for (int i = 0; i < stride; i++) {
        target[to + i] = clip(sums[i]);
      }
    }
    return target;
  }

  /** Kept to one plain loop so that the compiler turns it into vector instructions. */
  private static void addRow(int[] sums, byte[] source, int from, int weight) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += (source[from + i] & 0xff) * weight;
    }
  }

  private static byte clip(int sum) {
    return (byte) Math.clamp(sum >> PRECISION_BITS, 0, 255);
  }

  private static RgbImage nearest(
      RgbImage image, int width, int height, int left, int top, int cropWidth, int cropHeight) {
    int[] columns = nearestSources(image.width(), width, left, cropWidth);
    int[] rows = nearestSources(image.height(), height, top, cropHeight);
    byte[] source = image.pixels();
    byte[] target = new byte[3 * cropWidth * cropHeight];
    int to = 0;
    for (int row : rows) {
      for (int column : columns) {
        int from = 3 * (row * image.width() + column);
        target[to] = source[from];
        target[to + 1] = source[from + 1];
        target[to + 2] = source[from + 2];
        to += 3;
      }
    }
    return new RgbImage(cropWidth, cropHeight, target);
  }

  /** Pillow adds the step up instead of multiplying, so rounding accumulates; so it does here. */
  private static int[] nearestSources(int in, int out, int first, int count) {
    int[] sources = new int[count];
    double step = (double) in / out;
    double position = step * 0.5;
    for (int i = 0; i < first + count; i++) {
      if (i >= first) {
        sources[i - first] = Math.min((int) position, in - 1);
      }
      position += step;
    }
    return sources;
  }

  /**
   * Pillow's resampling filters, in the order of its constants' names in {@code PIL.Image}.
   *
   * <p>{@link #support()} is the radius at scale 1.
   */
  public enum Filter {
    NEAREST(0),
    BOX(0.5),
    BILINEAR(1),
    HAMMING(1),
    BICUBIC(2),
    LANCZOS(3);

    private final double support;

    Filter(double support) {
      this.support = support;
    }

    double support() {
      return support;
    }

    double weight(double x) {
      return switch (this) {
        case NEAREST -> throw new IllegalStateException("nearest has no weights");
        case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
        case BILINEAR -> Math.max(0, 1 - Math.abs(x));
        case HAMMING -> {
          double distance = Math.abs(x);
          if (distance == 0) {
            yield 1;
          }
          if (distance >= 1) {
            yield 0;
          }
          double angle = distance * Math.PI;
          yield Math.sin(angle) / angle * (0.54 + 0.46 * Math.cos(angle));
        }
        case BICUBIC -> {
          double a = -0.5;
          double d = Math.abs(x);
          if (d < 1) {
            yield ((a + 2) * d - (a + 3)) * d * d + 1;
          }
          yield d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
        }
        case LANCZOS -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
      };
    }

    private static double sinc(double x) {
      if (x == 0) {
        return 1;
      }
      double angle = x * Math.PI;
      return Math.sin(angle) / angle;
    }
  }

  /** Which input pixels, with which fixed-point weights, make output pixel {@code first + i}. */
  private record Weights(int[] starts, int[] offsets, int[] values) {
    static Weights of(int in, int out, int first, int size, Filter filter) {
      double scale = (double) in / out;
      double filterScale = Math.max(scale, 1);
      double support = filter.support() * filterScale;
      double inverse = 1 / filterScale;
      int[] starts = new int[size];
      int[] offsets = new int[size + 1];
      int capacity = (int) Math.min((long) Math.ceil(support) * 2 + 1, in);
      double[] weights = new double[capacity];
      int[] values = new int[Math.toIntExact((long) capacity * size)];
      for (int i = 0; i < size; i++) {
        double center = (first + i + 0.5) * scale;
        int start = Math.max((int) (center - support + 0.5), 0);
        int count = Math.min((int) (center + support + 0.5), in) - start;
        double total = 0;
        for (int k = 0; k < count; k++) {
          weights[k] = filter.weight((k + start - center + 0.5) * inverse);
          total += weights[k];
        }
        starts[i] = start;
        offsets[i + 1] = offsets[i] + count;
        for (int k = 0; k < count; k++) {
          double weight = (total == 0 ? weights[k] : weights[k] / total) * (1 << PRECISION_BITS);
          values[offsets[i] + k] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
      }
      return new Weights(starts, offsets, values);
    }

    int size() {
      return starts.length;
    }

    int start(int i) {
      return starts[i];
    }

    int count(int i) {
      return offsets[i + 1] - offsets[i];
    }
  }
}
