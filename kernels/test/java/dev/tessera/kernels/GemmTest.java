package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;
import static dev.tessera.kernels.Reference.multiply;
import static dev.tessera.kernels.Reference.transpose;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class GemmTest {
  private static final double TOLERANCE = 1e-5;

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 3, 5",
    "5, 1, 2",
    "4, 4, 4",
    "7, 33, 17",
    "17, 5, 64",
    "64, 64, 16",
    "65, 66, 33"
  })
  void allLayouts(int m, int n, int k) {
    float[] a = normal(1, m * k);
    float[] b = normal(2, k * n);
    double[] expected = multiply(doubles(a), doubles(b), m, n, k);
    for (boolean tiled : new boolean[] {false, true}) {
      for (boolean aTurned : new boolean[] {false, true}) {
        for (boolean bTurned : new boolean[] {false, true}) {
          FloatArray c = new FloatArray(m * n);
          run(
              tiled,
              array(aTurned ? transpose(a, m, k) : a),
              aTurned,
              array(bTurned ? transpose(b, k, n) : b),
              bTurned,
              new FloatArray(1),
              new FloatArray(1),
              c,
              m,
              n,
              k,
              Activations.IDENTITY);
          assertClose(c.toHeapArray(), expected, TOLERANCE);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, true, true",
    "1, true, false",
    "2, false, false",
    "5, true, true",
    "4, false, true"
  })
  void epilogues(int activation, boolean bias, boolean residual) {
    int m = 9;
    int n = 70;
    int k = 21;
    float[] a = normal(3, m * k);
    float[] b = normal(4, k * n);
    float[] added = normal(5, n);
    float[] kept = normal(6, m * n);
    double[] expected = multiply(doubles(a), doubles(b), m, n, k);
    for (int i = 0; i < m * n; i++) {
      double sum = expected[i] + (bias ? added[i % n] : 0);
      expected[i] = Reference.activate(activation, sum) + (residual ? kept[i] : 0);
    }
    int epilogue = activation + (bias ? Gemm.BIAS : 0) + (residual ? Gemm.RESIDUAL : 0);
    for (boolean tiled : new boolean[] {false, true}) {
      FloatArray c = new FloatArray(m * n);
      run(tiled, array(a), false, array(b), false, array(added), array(kept), c, m, n, k, epilogue);
      assertClose(c.toHeapArray(), expected, TOLERANCE);
    }
  }

  private static void run(
      boolean tiled,
      FloatArray a,
      boolean aTurned,
      FloatArray b,
      boolean bTurned,
      FloatArray bias,
      FloatArray residual,
      FloatArray c,
      int m,
      int n,
      int k,
      int epilogue) {
    int aRow = aTurned ? 1 : k;
    int aDepth = aTurned ? m : 1;
    int bDepth = bTurned ? 1 : n;
    int bColumn = bTurned ? k : 1;
    TaskGraph graph = Launch.graph(a, b, bias, residual);
    WorkerGrid grid;
    if (tiled) {
      graph.task(
          "t",
          Gemm::tiled,
          CONTEXT,
          a,
          aRow,
          aDepth,
          b,
          bDepth,
          bColumn,
          bias,
          residual,
          c,
          m,
          n,
          k,
          epilogue);
      grid =
          Grids.tiles(Math.ceilDiv(n, Gemm.TILE), Math.ceilDiv(m, Gemm.TILE), Gemm.SIDE, Gemm.SIDE);
    } else {
      graph.task(
          "t",
          Gemm::rows,
          CONTEXT,
          a,
          aRow,
          aDepth,
          b,
          bDepth,
          bColumn,
          bias,
          residual,
          c,
          m,
          n,
          k,
          epilogue);
      grid = Grids.items(Gemm.blocks(m, n), 8);
    }
    Launch.run(graph, grid, c);
  }
}
