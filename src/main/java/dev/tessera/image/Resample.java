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
      RgbImage low =
          twoPass(image, image.width(), height, filter, 0, top, image.width(), cropHeight);
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
    Weights vertical =
        height == image.height()
            ? null
            : Weights.of(image.height(), height, top, cropHeight, filter);
    Weights horizontal =
        width == image.width() ? null : Weights.of(image.width(), width, left, cropWidth, filter);
    byte[] pixels = new byte[3 * cropWidth * cropHeight];
    int stride = 3 * cropWidth;
    int[] sums = new int[stride];
    // Only rows that the vertical pass reads are resampled horizontally, and only as many are kept
    // as one output row needs. They are ints, of which the compiler makes vector instructions.
    int[][] ring = new int[vertical == null ? 1 : vertical.most()][stride];
    int next = 0;
    for (int y = 0; y < cropHeight; y++) {
      int first = vertical == null ? top + y : vertical.starts[y];
      int end = vertical == null ? first + 1 : first + vertical.count(y);
      for (int row = Math.max(next, first); row < end; row++) {
        int[] across = ring[row % ring.length];
        if (horizontal == null) {
          copyRow(image.pixels(), 3 * (row * image.width() + left), across);
        } else {
          resampleRow(image.pixels(), 3 * row * image.width(), horizontal, across);
        }
      }
      next = end;
      if (vertical == null) {
        storeRow(ring[first % ring.length], pixels, y * stride);
      } else {
        Arrays.fill(sums, HALF);
        for (int k = vertical.offsets[y], row = first; row < end; k++, row++) {
          addRow(sums, ring[row % ring.length], vertical.values[k]);
        }
        clipRow(sums, pixels, y * stride);
      }
    }
    return new RgbImage(cropWidth, cropHeight, pixels);
  }

  private static void copyRow(byte[] source, int from, int[] target) {
    for (int i = 0; i < target.length; i++) {
      target[i] = source[from + i] & 0xff;
    }
  }

  private static void resampleRow(byte[] source, int from, Weights weights, int[] target) {
    int[] kernel = weights.values;
    int to = 0;
    for (int x = 0; x < weights.starts.length; x++) {
      int at = from + 3 * weights.starts[x];
      int red = HALF;
      int green = HALF;
      int blue = HALF;
      int end = weights.offsets[x + 1];
      for (int k = weights.offsets[x]; k < end; k++) {
        int weight = kernel[k];
        red += (source[at] & 0xff) * weight;
        green += (source[at + 1] & 0xff) * weight;
        blue += (source[at + 2] & 0xff) * weight;
        at += 3;
      }
      target[to] = clip(red);
      target[to + 1] = clip(green);
      target[to + 2] = clip(blue);
      to += 3;
    }
  }

  private static void addRow(int[] sums, int[] row, int weight) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += row[i] * weight;
    }
  }

  private static void clipRow(int[] sums, byte[] target, int to) {
    for (int i = 0; i < sums.length; i++) {
      target[to + i] = (byte) clip(sums[i]);
    }
  }

  private static void storeRow(int[] row, byte[] target, int to) {
    for (int i = 0; i < row.length; i++) {
      target[to + i] = (byte) row[i];
    }
  }

  private static int clip(int sum) {
    return Math.max(0, Math.min(255, sum >> PRECISION_BITS));
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

    int count(int i) {
      return offsets[i + 1] - offsets[i];
    }

    /** The most input pixels that any output pixel needs. */
    int most() {
      int most = 1;
      for (int i = 0; i < starts.length; i++) {
        most = Math.max(most, count(i));
      }
      return most;
    }
  }
}
