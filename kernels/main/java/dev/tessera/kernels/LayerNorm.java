package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@code y = (x − mean)/√(variance + epsilon) · weight + bias} over rows of {@code width} elements
 * (Ba et al., arXiv:1607.06450).
 */
public final class LayerNorm {
  /** Work-items that share a row in the grouped kernels; a power of two. */
  public static final int GROUP = 64;

  private LayerNorm() {}

  /** x and y are {@code [rows, width]}; one work-item a row. */
  public static void rows(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray bias,
      FloatArray y,
      int rows,
      int width,
      float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float mean = mean(x, at, width);
      float inverse = inverseDeviation(x, at, width, mean, epsilon);
      for (int i = 0; i < width; i++) {
        y.set(at + i, (x.get(at + i) - mean) * inverse * weight.get(i) + bias.get(i));
      }
    }
  }

  /** The same with a group of {@link #GROUP} work-items a row. */
  public static void grouped(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray bias,
      FloatArray y,
      int rows,
      int width,
      float epsilon) {
    float[] shared = context.allocateFloatLocalArray(GROUP);
    int item = context.localIdx;
    // Groups beyond the last row take it, too, since all must meet at the barriers below.
    int at = TornadoMath.min(context.groupIdx, rows - 1) * width;
    float sum = 0f;
    for (int i = item; i < width; i += GROUP) {
      sum += x.get(at + i);
    }
    shared[item] = sum;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
      }
      context.localBarrier();
    }
    float mean = shared[0] / width;
    context.localBarrier();
    float squares = 0f;
    for (int i = item; i < width; i += GROUP) {
      float distance = x.get(at + i) - mean;
      squares += distance * distance;
    }
    shared[item] = squares;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
      }
      context.localBarrier();
    }
    float inverse = 1f / TornadoMath.sqrt(shared[0] / width + epsilon);
    if (context.groupIdx < rows) {
      for (int i = item; i < width; i += GROUP) {
        y.set(at + i, (x.get(at + i) - mean) * inverse * weight.get(i) + bias.get(i));
      }
    }
  }

  /**
   * The gradient of the input; one work-item a row. With x̂ the normalised row and g = dy·weight it
   * is {@code (g − mean(g) − x̂·mean(g·x̂))/√(variance + epsilon)}.
   *
   * @param statistics {@code [rows, 2]}, receives mean and inverse deviation for {@link
   *     #backwardParameters}
   */
  public static void backwardInput(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray dy,
      FloatArray dx,
      FloatArray statistics,
      int rows,
      int width,
      float epsilon) {
    int row = context.globalIdx;
    if (row < rows) {
      int at = row * width;
      float mean = mean(x, at, width);
      float inverse = inverseDeviation(x, at, width, mean, epsilon);
      float gradients = 0f;
      float products = 0f;
      for (int i = 0; i < width; i++) {
        float g = dy.get(at + i) * weight.get(i);
        gradients += g;
        products += g * (x.get(at + i) - mean) * inverse;
      }
      gradients = gradients / width;
      products = products / width;
      for (int i = 0; i < width; i++) {
        float normalised = (x.get(at + i) - mean) * inverse;
        float g = dy.get(at + i) * weight.get(i);
        dx.set(at + i, (g - gradients - normalised * products) * inverse);
      }
      statistics.set(row * 2, mean);
      statistics.set(row * 2 + 1, inverse);
    }
  }

  /** The same with a group of {@link #GROUP} work-items a row. */
  public static void groupedBackwardInput(
      KernelContext context,
      FloatArray x,
      FloatArray weight,
      FloatArray dy,
      FloatArray dx,
      FloatArray statistics,
      int rows,
      int width,
      float epsilon) {
    float[] shared = context.allocateFloatLocalArray(GROUP);
    float[] others = context.allocateFloatLocalArray(GROUP);
    int item = context.localIdx;
    int row = TornadoMath.min(context.groupIdx, rows - 1);
    int at = row * width;
    float sum = 0f;
    for (int i = item; i < width; i += GROUP) {
      sum += x.get(at + i);
    }
    shared[item] = sum;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
      }
      context.localBarrier();
    }
    float mean = shared[0] / width;
    context.localBarrier();
    float squares = 0f;
    for (int i = item; i < width; i += GROUP) {
      float distance = x.get(at + i) - mean;
      squares += distance * distance;
    }
    shared[item] = squares;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
      }
      context.localBarrier();
    }
    float inverse = 1f / TornadoMath.sqrt(shared[0] / width + epsilon);
    context.localBarrier();
    float gradients = 0f;
    float products = 0f;
    for (int i = item; i < width; i += GROUP) {
      float g = dy.get(at + i) * weight.get(i);
      gradients += g;
      products += g * (x.get(at + i) - mean) * inverse;
    }
    shared[item] = gradients;
    others[item] = products;
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride = stride / 2) {
      if (item < stride) {
        shared[item] += shared[item + stride];
        others[item] += others[item + stride];
      }
      context.localBarrier();
    }
    float meanGradient = shared[0] / width;
    float meanProduct = others[0] / width;
    if (context.groupIdx < rows) {
      for (int i = item; i < width; i += GROUP) {
        float normalised = (x.get(at + i) - mean) * inverse;
        float g = dy.get(at + i) * weight.get(i);
        dx.set(at + i, (g - meanGradient - normalised * meanProduct) * inverse);
      }
      // All store the same.
      statistics.set(row * 2, mean);
      statistics.set(row * 2 + 1, inverse);
    }
  }

  /**
   * First stage of the gradients of weight and bias: sums over blocks of {@code block} rows, {@code
   * [parts, width]} each; one work-item an element of them. {@link Reductions#sumRows} adds the
   * parts up.
   */
  public static void backwardParameters(
      KernelContext context,
      FloatArray x,
      FloatArray dy,
      FloatArray statistics,
      FloatArray weightParts,
      FloatArray biasParts,
      int rows,
      int width,
      int block) {
    int item = context.globalIdx;
    int parts = (rows + block - 1) / block;
    if (item < parts * width) {
      int column = item % width;
      int from = item / width * block;
      int to = TornadoMath.min(from + block, rows);
      float weightSum = 0f;
      float biasSum = 0f;
      for (int row = from; row < to; row++) {
        float gradient = dy.get(row * width + column);
        float distance = x.get(row * width + column) - statistics.get(row * 2);
        weightSum += gradient * distance * statistics.get(row * 2 + 1);
        biasSum += gradient;
      }
      weightParts.set(item, weightSum);
      biasParts.set(item, biasSum);
    }
  }

  /** In two steps, so that it is exact to the last bits even where rows vary little. */
  private static float mean(FloatArray x, int at, int width) {
    float sum = 0f;
    for (int i = 0; i < width; i++) {
      sum += x.get(at + i);
    }
    float mean = sum / width;
    float rest = 0f;
    for (int i = 0; i < width; i++) {
      rest += x.get(at + i) - mean;
    }
    return mean + rest / width;
  }

  private static float inverseDeviation(
      FloatArray x, int at, int width, float mean, float epsilon) {
    float squares = 0f;
    for (int i = 0; i < width; i++) {
      float distance = x.get(at + i) - mean;
      squares += distance * distance;
    }
    return 1f / TornadoMath.sqrt(squares / width + epsilon);
  }
}
