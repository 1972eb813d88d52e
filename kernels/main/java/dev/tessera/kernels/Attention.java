package dev.tessera.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@code softmax(scale·Q·Kᵀ)·V} for each head, with the softmax computed as the keys go by (Milakov
 * and Gimelshein, arXiv:1805.02867), so that no matrix of scores exists.
 *
 * <p>q and the result are {@code [batch, queries, heads·width]}, k and v {@code [batch, keys,
 * heads·width]}; head h uses columns h·width to (h+1)·width − 1. A pair is a head of an image:
 * {@code batch·heads + head}.
 */
public final class Attention {
  /** Query i sees only keys 0 to i. */
  public static final int CAUSAL = 1;

  /** {@code mask [batch, keys]} is 0 where a key is not seen. */
  public static final int MASKED = 2;

  /** The score of a key that is not seen; finite, since OpenCL's fast mathematics may assume it. */
  static final float UNSEEN = -1e30f;

  /** Below every score. */
  static final float LOWEST = -3e38f;

  private Attention() {}

  /**
   * One work-item for each query of each head, {@code batch·heads·queries} in all, the queries of a
   * pair next to each other. The sums are kept in the result itself.
   *
   * @param flags {@link #CAUSAL} and {@link #MASKED}; without the latter the mask may be any array
   */
  public static void rows(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray v,
      FloatArray mask,
      FloatArray y,
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
        y.set(at + d, 0f);
      }
      float max = LOWEST;
      float sum = 0f;
      // Where a mask hides all keys that come before, the later ones count as much: see UNSEEN.
      int end = flags == CAUSAL ? TornadoMath.min(query + 1, keys) : keys;
      for (int key = 0; key < end; key++) {
        int from = ((image * keys + key) * heads + head) * width;
        float score = UNSEEN;
        if (seen(mask, image * keys + key, query, key, flags) == 1) {
          score = dot(q, at, k, from, width) * scale;
        }
        float larger = TornadoMath.max(max, score);
        float shrink = TornadoMath.exp(max - larger);
        float weight = TornadoMath.exp(score - larger);
        sum = sum * shrink + weight;
        for (int d = 0; d < width; d++) {
          y.set(at + d, y.get(at + d) * shrink + weight * v.get(from + d));
        }
        max = larger;
      }
      for (int d = 0; d < width; d++) {
        y.set(at + d, y.get(at + d) / sum);
      }
    }
  }

  /**
   * The softmax itself, {@code [batch, heads, queries, keys]}, for inspection; one work-item for
   * each query of each head.
   */
  public static void probabilities(
      KernelContext context,
      FloatArray q,
      FloatArray k,
      FloatArray mask,
      FloatArray y,
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
      float max = LOWEST;
      for (int key = 0; key < keys; key++) {
        float score = UNSEEN;
        if (seen(mask, image * keys + key, query, key, flags) == 1) {
          score = dot(q, at, k, ((image * keys + key) * heads + head) * width, width) * scale;
        }
        y.set(item * keys + key, score);
        max = TornadoMath.max(max, score);
      }
      float sum = 0f;
      for (int key = 0; key < keys; key++) {
        float weight = TornadoMath.exp(y.get(item * keys + key) - max);
        y.set(item * keys + key, weight);
        sum += weight;
      }
      for (int key = 0; key < keys; key++) {
        y.set(item * keys + key, y.get(item * keys + key) / sum);
      }
    }
  }

  /** 1 if the query sees the key, else 0. */
  static int seen(FloatArray mask, int maskAt, int query, int key, int flags) {
    int seen = 1;
    if ((flags & CAUSAL) != 0 && key > query) {
      seen = 0;
    }
    if ((flags & MASKED) != 0) {
      if (mask.get(maskAt) == 0f) {
        seen = 0;
      }
    }
    return seen;
  }

  static float dot(FloatArray a, int aFrom, FloatArray b, int bFrom, int width) {
    float sum = 0f;
    for (int d = 0; d < width; d++) {
      sum += a.get(aFrom + d) * b.get(bFrom + d);
    }
    return sum;
  }
}
