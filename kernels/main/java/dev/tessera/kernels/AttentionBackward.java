package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The gradients of {@link Attention}, with the softmax computed again from the logarithms of its
 * denominators (Dao et al., arXiv:2205.14135, appendix B): with P the softmax, dP = dY·Vᵀ and D the
 * dot products of dY and Y, dS = P∘(dP − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q and dV = Pᵀ·dY.
 *
 * <p>Shapes and flags as there. Run {@link #rowDots} first.
 */
public final class AttentionBackward {
  private AttentionBackward() {}

  /** D: the dot product of dy and y for each query of each head, laid out as the log sums are. */
  public static void rowDots(
      KernelContext context,
      FloatArray y,
      FloatArray dy,
      FloatArray dots,
      int batch,
      int heads,
      int queries,
      int width) {
    int item = context.globalIdx;
    if (item < batch * heads * queries) {
      int query = item % queries;
      int head = item / queries % heads;
      int image = item / (queries * heads);
      int at = ((image * queries + query) * heads + head) * width;
      dots.set(item, Attention.dot(y, at, dy, at, width));
    }
  }

  /** dQ; one work-item for each query of each head. */
  public static void queries(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray logSums,
      FloatArray dots,
      FloatArray dq,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int item = context.globalIdx;
    if (item < batch * heads * queries) {
      int query = item % queries;
      int head = item / queries % heads;
      int image = item / (queries * heads);
      int at = ((image * queries + query) * heads + head) * width;
      for (int d = 0; d < width; d++) {
        dq.set(at + d, 0f);
      }
      for (int key = 0; key < keys; key++) {
        if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
          int from = ((image * keys + key) * heads + head) * width;
          float score = Attention.dot(q, at, k, from, width) * scale;
          float probability = TornadoMath.exp(score - logSums.get(item));
          float gradient = Attention.dot(dy, at, v, from, width);
          float factor = probability * (gradient - dots.get(item)) * scale;
          for (int d = 0; d < width; d++) {
            dq.set(at + d, dq.get(at + d) + factor * k.get(from + d));
          }
        }
      }
    }
  }

  /** dK and dV; one work-item for each key of each head, {@code batch·heads·keys} in all. */
  public static void keysAndValues(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray logSums,
      FloatArray dots,
      FloatArray dk,
      FloatArray dv,
      int batch,
      int heads,
      int queries,
      int keys,
      int width,
      float scale,
      int flags) {
    int item = context.globalIdx;
    if (item < batch * heads * keys) {
      int key = item % keys;
      int head = item / keys % heads;
      int image = item / (keys * heads);
      int from = ((image * keys + key) * heads + head) * width;
      for (int d = 0; d < width; d++) {
        dk.set(from + d, 0f);
        dv.set(from + d, 0f);
      }
      for (int query = 0; query < queries; query++) {
        int at = ((image * queries + query) * heads + head) * width;
        int row = (image * heads + head) * queries + query;
        float score = Attention.UNSEEN;
        float passed = 0f;
        if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
          score = Attention.dot(q, at, k, from, width) * scale;
          passed = scale;
        }
        float probability = TornadoMath.exp(score - logSums.get(row));
        if (logSums.get(row) < 0.5f * Attention.UNSEEN) {
          // No key is seen: the softmax is flat, which its logarithm is too small to tell.
          probability = 1f / keys;
        }
        float gradient = Attention.dot(dy, at, v, from, width);
        float factor = probability * (gradient - dots.get(row)) * passed;
        for (int d = 0; d < width; d++) {
          dk.set(from + d, dk.get(from + d) + factor * q.get(at + d));
          dv.set(from + d, dv.get(from + d) + probability * dy.get(at + d));
        }
      }
    }
  }
}
