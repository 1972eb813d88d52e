package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The gradients of {@link Attention}, with the softmax computed again rather than kept (Dao et al.,
 * arXiv:2205.14135, appendix B): with P the softmax, dP = dY·Vᵀ and D the sums of P∘dP over each
 * query's keys, dS = P∘(dP − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q and dV = Pᵀ·dY.
 *
 * <p>Shapes and flags as there. {@link #statistics} goes first: {@code [batch·heads·queries, 3]},
 * each query's largest score, one divided by its softmax's denominator, and D. All come from the
 * very numbers that the gradients are made of, so that the rows of dS, whose sum is zero, miss it
 * by rounding alone.
 */
public final class AttentionBackward {
  /**
   * Gradients that are summed up by themselves before they are added to the rest, so that sums over
   * hundreds of tokens, of which many all but vanish, lose less to rounding.
   */
  private static final int BLOCK = 16;

  private AttentionBackward() {}

  /** What the gradients need of each softmax; one work-item for each query of each head. */
  public static void statistics(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray dy,
      FloatArray statistics,
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
      float max = Attention.LOWEST;
      for (int key = 0; key < keys; key++) {
        float score = Attention.UNSEEN;
        if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
          int from = ((image * keys + key) * heads + head) * width;
          score = Attention.dot(q, at, k, from, width) * scale;
        }
        max = TornadoMath.max(max, score);
      }
      float sum = 0f;
      float products = 0f;
      for (int start = 0; start < keys; start += BLOCK) {
        float blockSum = 0f;
        float blockProducts = 0f;
        int end = TornadoMath.min(start + BLOCK, keys);
        for (int key = start; key < end; key++) {
          int from = ((image * keys + key) * heads + head) * width;
          float score = Attention.UNSEEN;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = Attention.dot(q, at, k, from, width) * scale;
          }
          float weight = TornadoMath.exp(score - max);
          blockSum += weight;
          blockProducts += weight * Attention.dot(dy, at, v, from, width);
        }
        sum += blockSum;
        products += blockProducts;
      }
      statistics.set(3 * item, max);
      statistics.set(3 * item + 1, 1f / sum);
      statistics.set(3 * item + 2, products / sum);
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
      FloatArray statistics,
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
      float[] sums = new float[width];
      for (int d = 0; d < width; d++) {
        dq.set(at + d, 0f);
      }
      for (int start = 0; start < keys; start += BLOCK) {
        for (int d = 0; d < width; d++) {
          sums[d] = 0f;
        }
        int end = TornadoMath.min(start + BLOCK, keys);
        for (int key = start; key < end; key++) {
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            int from = ((image * keys + key) * heads + head) * width;
            float score = Attention.dot(q, at, k, from, width) * scale;
            float probability = probability(statistics, item, score);
            float gradient = Attention.dot(dy, at, v, from, width);
            float factor = probability * (gradient - statistics.get(3 * item + 2)) * scale;
            for (int d = 0; d < width; d++) {
              sums[d] += factor * k.get(from + d);
            }
          }
        }
        for (int d = 0; d < width; d++) {
          dq.set(at + d, dq.get(at + d) + sums[d]);
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
      FloatArray statistics,
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
      float[] keySums = new float[width];
      float[] valueSums = new float[width];
      for (int d = 0; d < width; d++) {
        dk.set(from + d, 0f);
        dv.set(from + d, 0f);
      }
      for (int start = 0; start < queries; start += BLOCK) {
        for (int d = 0; d < width; d++) {
          keySums[d] = 0f;
          valueSums[d] = 0f;
        }
        int end = TornadoMath.min(start + BLOCK, queries);
        for (int query = start; query < end; query++) {
          int at = ((image * queries + query) * heads + head) * width;
          int row = (image * heads + head) * queries + query;
          float score = Attention.UNSEEN;
          float passed = 0f;
          if (Attention.seen(mask, image * keys + key, query, key, flags) == 1) {
            score = Attention.dot(q, at, k, from, width) * scale;
            passed = scale;
          }
          float probability = probability(statistics, row, score);
          float gradient = Attention.dot(dy, at, v, from, width);
          float factor = probability * (gradient - statistics.get(3 * row + 2)) * passed;
          for (int d = 0; d < width; d++) {
            keySums[d] += factor * q.get(at + d);
            valueSums[d] += probability * dy.get(at + d);
          }
        }
        for (int d = 0; d < width; d++) {
          dk.set(from + d, dk.get(from + d) + keySums[d]);
          dv.set(from + d, dv.get(from + d) + valueSums[d]);
        }
      }
    }
  }

  private static float probability(FloatArray statistics, int row, float score) {
    return TornadoMath.exp(score - statistics.get(3 * row)) * statistics.get(3 * row + 1);
  }
}
