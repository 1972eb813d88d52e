package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Sums and products of whole arrays, and the moving of their parts. */
public final class Elementwise {
  private Elementwise() {}

  /** {@code y[i] = a[i] + b[i mod period]}; one work-item for each of {@code n} elements. */
  public static void add(
      KernelContext context, FloatArray a, FloatArray b, FloatArray y, int n, int period) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, a.get(i) + b.get(i % period));
    }
  }

  /** {@code y[i] = a[i]·b[i mod period]}; one work-item for each of {@code n} elements. */
  public static void multiply(
      KernelContext context, FloatArray a, FloatArray b, FloatArray y, int n, int period) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, a.get(i) * b.get(i % period));
    }
  }

  /** {@code y[i] = factor·x[i]}; one work-item for each of {@code n} elements. */
  public static void scale(KernelContext context, FloatArray x, FloatArray y, int n, float factor) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, x.get(i) * factor);
    }
  }

  /** {@code y[i] = a·y[i] + b·x[i]}; one work-item for each of {@code n} elements. */
  public static void blend(
      KernelContext context, FloatArray x, FloatArray y, int n, float a, float b) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, a * y.get(i) + b * x.get(i));
    }
  }

  /** {@code y[i] = value}; one work-item for each of {@code n} elements. */
  public static void fill(KernelContext context, FloatArray y, int n, float value) {
    int i = context.globalIdx;
    if (i < n) {
      y.set(i, value);
    }
  }

  /**
   * Copies {@code count} runs of {@code length} elements: run r goes from {@code xFrom + r·xStep}
   * to {@code yFrom + r·yStep}; one work-item an element. Cutting and joining along any axis is
   * this; a step of 0 repeats a run.
   */
  public static void copyRuns(
      KernelContext context,
      FloatArray x,
      int xFrom,
      int xStep,
      FloatArray y,
      int yFrom,
      int yStep,
      int count,
      int length) {
    int i = context.globalIdx;
    if (i < count * length) {
      int run = i / length;
      int within = i % length;
      y.set(yFrom + run * yStep + within, x.get(xFrom + run * xStep + within));
    }
  }

  /**
   * Cuts images {@code [batch, channels, height, width]} into whole patches in reading order,
   * {@code [batch, rows·columns, channels·patchHeight·patchWidth]}; one work-item for each of
   * {@code n} elements of the result.
   */
  public static void patches(
      KernelContext context,
      FloatArray images,
      FloatArray y,
      int n,
      int channels,
      int height,
      int width,
      int patchHeight,
      int patchWidth) {
    int i = context.globalIdx;
    if (i < n) {
      int columns = width / patchWidth;
      int perImage = height / patchHeight * columns;
      int perPatch = channels * patchHeight * patchWidth;
      int patch = i / perPatch;
      int within = i % perPatch;
      int image = patch / perImage;
      int channel = within / (patchHeight * patchWidth);
      int row = patch % perImage / columns * patchHeight + within / patchWidth % patchHeight;
      int column = patch % perImage % columns * patchWidth + within % patchWidth;
      y.set(i, images.get(((image * channels + channel) * height + row) * width + column));
    }
  }

  /**
   * The gradient of {@link #patches}: dy at the place of each pixel, 0 outside of whole patches;
   * one work-item for each of {@code n} elements of dx.
   */
  public static void patchesBackward(
      KernelContext context,
      FloatArray dy,
      FloatArray dx,
      int n,
      int channels,
      int height,
      int width,
      int patchHeight,
      int patchWidth) {
    int i = context.globalIdx;
    if (i < n) {
      int rows = height / patchHeight;
      int columns = width / patchWidth;
      int x = i % width;
      int y = i / width % height;
      int channel = i / (width * height) % channels;
      int image = i / (width * height * channels);
      float gradient = 0f;
      if (y < rows * patchHeight && x < columns * patchWidth) {
        int patch = (image * rows + y / patchHeight) * columns + x / patchWidth;
        int row = (patch * channels + channel) * patchHeight + y % patchHeight;
        gradient = dy.get(row * patchWidth + x % patchWidth);
      }
      dx.set(i, gradient);
    }
  }
}
