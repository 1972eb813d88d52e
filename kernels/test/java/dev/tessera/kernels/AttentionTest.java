package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class AttentionTest {
  private static final double TOLERANCE = 2e-5;

  /** Full, causal, padded, and both; the mask of one image hides all of its keys. */
  private static List<Reference.Heads> kinds(
      int batch, int heads, int queries, int keys, int width) {
    float[] mask = normal(9, batch * keys);
    for (int i = 0; i < mask.length; i++) {
      mask[i] = mask[i] > -0.3f && i >= keys ? 1 : 0;
    }
    return List.of(
        new Reference.Heads(batch, heads, queries, keys, width, false, null),
        new Reference.Heads(batch, heads, queries, keys, width, true, null),
        new Reference.Heads(batch, heads, queries, keys, width, false, mask),
        new Reference.Heads(batch, heads, queries, keys, width, true, mask));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "2, 3, 5, 5, 7",
    "2, 1, 33, 40, 8",
    "2, 2, 90, 65, 12",
    "1, 1, 3, 9, 64",
    "1, 2, 41, 33, 61",
    "1, 1, 17, 35, 128",
    "1, 1, 18, 5, 67"
  })
  void forward(int batch, int heads, int queries, int keys, int width) {
    for (Reference.Heads sizes : kinds(batch, heads, queries, keys, width)) {
      float[] q = normal(1, batch * queries * heads * width);
      float[] k = normal(2, batch * keys * heads * width);
      float[] v = normal(3, batch * keys * heads * width);
      double[] expected = sizes.attention(doubles(q), doubles(k), doubles(v));
      for (boolean tiled : new boolean[] {false, true}) {
        Forward forward = new Forward(sizes, q, k, v, tiled);
        assertClose(forward.y.toHeapArray(), expected, TOLERANCE);
      }

      FloatArray a = array(q);
      FloatArray b = array(k);
      FloatArray mask = mask(sizes);
      FloatArray p = new FloatArray(batch * heads * queries * keys);
      TaskGraph graph =
          Launch.graph(a, b, mask)
              .task(
                  "t",
                  Attention::probabilities,
                  CONTEXT,
                  a,
                  b,
                  mask,
                  p,
                  batch,
                  heads,
                  queries,
                  keys,
                  width,
                  sizes.scale(),
                  sizes.flags());
      Launch.run(graph, Grids.items(batch * heads * queries, 8), p);
      assertClose(p.toHeapArray(), sizes.probabilities(doubles(q), doubles(k)), TOLERANCE);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "2, 2, 5, 4, 3",
    "2, 1, 3, 9, 5",
    "1, 1, 35, 70, 2",
    "1, 2, 17, 33, 12",
    "1, 1, 5, 18, 64"
  })
  void backward(int batch, int heads, int queries, int keys, int width) {
    for (Reference.Heads sizes : kinds(batch, heads, queries, keys, width)) {
      float[] q = normal(4, batch * queries * heads * width);
      float[] k = normal(5, batch * keys * heads * width);
      float[] v = normal(6, batch * keys * heads * width);
      float[] upstream = normal(7, q.length);
      double[] dq =
          Reference.gradient(x -> sizes.attention(x, doubles(k), doubles(v)), q, upstream);
      double[] dk =
          Reference.gradient(x -> sizes.attention(doubles(q), x, doubles(v)), k, upstream);
      double[] dv =
          Reference.gradient(x -> sizes.attention(doubles(q), doubles(k), x), v, upstream);
      for (boolean tiled : new boolean[] {false, true}) {
        Backward backward = new Backward(sizes, q, k, v, upstream, tiled);
        assertClose(backward.dq.toHeapArray(), dq, TOLERANCE);
        assertClose(backward.dk.toHeapArray(), dk, TOLERANCE);
        assertClose(backward.dv.toHeapArray(), dv, TOLERANCE);
      }
    }
  }

  private static final class Backward {
    private final Reference.Heads sizes;
    private final boolean tiled;
    final FloatArray dq;
    final FloatArray dk;
    final FloatArray dv;

    Backward(
        Reference.Heads sizes, float[] q, float[] k, float[] v, float[] upstream, boolean tiled) {
      this.sizes = sizes;
      this.tiled = tiled;
      dq = new FloatArray(q.length);
      dk = new FloatArray(k.length);
      dv = new FloatArray(v.length);
      FloatArray a = array(q);
      FloatArray b = array(k);
      FloatArray c = array(v);
      FloatArray mask = mask(sizes);
      FloatArray dy = array(upstream);
      FloatArray statistics = new FloatArray(3 * sizes.batch() * sizes.heads() * sizes.queries());
      TaskGraph graph =
          Launch.graph(a, b, c, mask, dy)
              .task(
                  "t",
                  tiled ? TiledAttentionBackward::tiledStatistics : AttentionBackward::statistics,
                  CONTEXT,
                  a,
                  b,
                  c,
                  mask,
                  dy,
                  statistics,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  sizes.scale(),
                  sizes.flags());
      Launch.run(graph, grid(sizes.queries()), statistics);
      TaskGraph queryGraph =
          Launch.graph(a, b, c, mask, dy, statistics)
              .task(
                  "t",
                  tiled ? TiledAttentionBackward::tiledQueries : AttentionBackward::queries,
                  CONTEXT,
                  a,
                  b,
                  c,
                  mask,
                  dy,
                  statistics,
                  dq,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  sizes.scale(),
                  sizes.flags());
      Launch.run(queryGraph, grid(sizes.queries()), dq);
      TaskGraph keyGraph =
          Launch.graph(a, b, c, mask, dy, statistics)
              .task(
                  "t",
                  tiled
                      ? TiledAttentionBackward::tiledKeysAndValues
                      : AttentionBackward::keysAndValues,
                  CONTEXT,
                  a,
                  b,
                  c,
                  mask,
                  dy,
                  statistics,
                  dk,
                  dv,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  sizes.scale(),
                  sizes.flags());
      Launch.run(keyGraph, grid(sizes.keys()), dk, dv);
    }

    private WorkerGrid grid(int tokens) {
      int pairs = sizes.batch() * sizes.heads();
      return tiled ? TiledAttentionBackward.grid(tokens, pairs) : Grids.items(pairs * tokens, 8);
    }
  }

  private static FloatArray mask(Reference.Heads sizes) {
    return sizes.mask() == null ? array(new float[1]) : array(sizes.mask());
  }

  private static final class Forward {
    final FloatArray y;

    Forward(Reference.Heads sizes, float[] q, float[] k, float[] v, boolean tiled) {
      int pairs = sizes.batch() * sizes.heads();
      y = new FloatArray(q.length);
      FloatArray a = array(q);
      FloatArray b = array(k);
      FloatArray c = array(v);
      FloatArray mask = mask(sizes);
      TaskGraph graph =
          Launch.graph(a, b, c, mask)
              .task(
                  "t",
                  tiled ? TiledAttention::tiled : Attention::rows,
                  CONTEXT,
                  a,
                  b,
                  c,
                  mask,
                  y,
                  sizes.batch(),
                  sizes.heads(),
                  sizes.queries(),
                  sizes.keys(),
                  sizes.width(),
                  sizes.scale(),
                  sizes.flags());
      Launch.run(
          graph,
          tiled
              ? TiledAttention.grid(sizes.queries(), sizes.width(), pairs)
              : Grids.items(pairs * sizes.queries(), 8),
          y);
    }
  }
}
