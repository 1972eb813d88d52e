package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static dev.tessera.kernels.Reference.assertClose;
import static dev.tessera.kernels.Reference.doubles;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class ElementwiseTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void activations(int kind) {
    float[] values = normal(1, 301);
    for (int i = 0; i < values.length; i++) {
      values[i] = i < 290 ? values[i] * 4 : (i - 295) * 40;
    }
    FloatArray x = array(values);
    FloatArray y = new FloatArray(values.length);
    Launch.run(
        Launch.graph(x).task("t", Activations::activate, CONTEXT, x, y, 301, kind),
        Grids.items(301, 16),
        y);
    double[] expected = apply(kind, doubles(values));
    assertClose(y.toHeapArray(), expected, 2e-6);

    // Away from the kink of RELU, where differences are no measure.
    float[] smooth = values.clone();
    for (int i = 0; i < smooth.length; i++) {
      smooth[i] += Math.abs(smooth[i]) < 1e-3f ? 0.01f : 0;
    }
    float[] upstream = normal(2, 301);
    FloatArray at = array(smooth);
    FloatArray dy = array(upstream);
    FloatArray dx = new FloatArray(values.length);
    Launch.run(
        Launch.graph(at, dy)
            .task("t", Activations::activateBackward, CONTEXT, at, dy, dx, 301, kind),
        Grids.items(301, 16),
        dx);
    assertClose(dx.toHeapArray(), Reference.gradient(v -> apply(kind, v), smooth, upstream), 5e-6);
  }

  private static double[] apply(int kind, double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Reference.activate(kind, x[i]);
    }
    return y;
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 5", "3, 7, 5", "4, 9, 1", "2, 5, 7"})
  void gated(int rows, int width, int kind) {
    float[] values = normal(3, rows * 2 * width);
    float[] upstream = normal(4, rows * width);
    FloatArray x = array(values);
    FloatArray y = new FloatArray(rows * width);
    Launch.run(
        Launch.graph(x).task("t", Activations::gated, CONTEXT, x, y, rows, width, kind),
        Grids.items(rows * width, 4),
        y);
    assertClose(y.toHeapArray(), Reference.gated(kind, doubles(values), width), 2e-6);
    FloatArray dy = array(upstream);
    FloatArray dx = new FloatArray(values.length);
    Launch.run(
        Launch.graph(x, dy)
            .task("t", Activations::gatedBackward, CONTEXT, x, dy, dx, rows, width, kind),
        Grids.items(rows * width, 4),
        dx);
    assertClose(
        dx.toHeapArray(),
        Reference.gradient(v -> Reference.gated(kind, v, width), values, upstream),
        5e-6);
  }

  @Test
  void sumsAndProductsRepeatTheRight() {
    float[] left = normal(5, 24);
    float[] right = normal(6, 6);
    FloatArray a = array(left);
    FloatArray b = array(right);
    FloatArray sum = new FloatArray(24);
    FloatArray product = new FloatArray(24);
    FloatArray half = new FloatArray(24);
    Launch.run(
        Launch.graph(a, b).task("t", Elementwise::add, CONTEXT, a, b, sum, 24, 6),
        Grids.items(24, 7),
        sum);
    Launch.run(
        Launch.graph(a, b).task("t", Elementwise::multiply, CONTEXT, a, b, product, 24, 6),
        Grids.items(24, 7),
        product);
    Launch.run(
        Launch.graph(a).task("t", Elementwise::scale, CONTEXT, a, half, 24, 0.5f),
        Grids.items(24, 7),
        half);
    FloatArray blended = array(left);
    Launch.run(
        Launch.graph(a, blended).task("t", Elementwise::blend, CONTEXT, a, blended, 23, 0.5f, 2f),
        Grids.items(23, 7),
        blended);
    FloatArray filled = array(left);
    Launch.run(
        Launch.graph(filled).task("t", Elementwise::fill, CONTEXT, filled, 23, 3f),
        Grids.items(23, 7),
        filled);
    assertThat(blended.get(23)).isEqualTo(left[23]);
    assertThat(filled.get(23)).isEqualTo(left[23]);
    for (int i = 0; i < 23; i++) {
      assertThat(blended.get(i)).isEqualTo(left[i] / 2 + left[i] * 2);
      assertThat(filled.get(i)).isEqualTo(3);
    }
    for (int i = 0; i < 24; i++) {
      assertThat(sum.get(i)).isEqualTo(left[i] + right[i % 6]);
      assertThat(product.get(i)).isEqualTo(left[i] * right[i % 6]);
      assertThat(half.get(i)).isEqualTo(left[i] / 2);
    }
  }

  @Test
  void copiesRuns() {
    FloatArray x = array(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    FloatArray y = array(new float[10]);
    Launch.run(
        Launch.graph(x, y).task("t", Elementwise::copyRuns, CONTEXT, x, 1, 4, y, 2, 3, 3, 2),
        Grids.items(6, 4),
        y);
    assertThat(y.toHeapArray()).containsExactly(0, 0, 1, 2, 0, 5, 6, 0, 9, 10);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 2, 2, 1, 1", "2, 3, 7, 9, 3, 2", "3, 2, 8, 8, 4, 4", "2, 1, 5, 5, 5, 3"})
  void patches(int batch, int channels, int height, int width, int tall, int wide) {
    float[] pixels = normal(7, batch * channels * height * width);
    int rows = height / tall;
    int columns = width / wide;
    float[] expected = new float[batch * rows * columns * channels * tall * wide];
    int at = 0;
    for (int image = 0; image < batch; image++) {
      for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
          for (int channel = 0; channel < channels; channel++) {
            for (int y = 0; y < tall; y++) {
              for (int x = 0; x < wide; x++) {
                int line = (image * channels + channel) * height + row * tall + y;
                expected[at++] = pixels[line * width + column * wide + x];
              }
            }
          }
        }
      }
    }
    FloatArray images = array(pixels);
    FloatArray y = new FloatArray(expected.length);
    Launch.run(
        Launch.graph(images)
            .task(
                "t",
                Elementwise::patches,
                CONTEXT,
                images,
                y,
                expected.length,
                channels,
                height,
                width,
                tall,
                wide),
        Grids.items(expected.length, 8),
        y);
    assertThat(y.toHeapArray()).containsExactly(expected);
    FloatArray back = new FloatArray(pixels.length);
    Launch.run(
        Launch.graph(y)
            .task(
                "t",
                Elementwise::patchesBackward,
                CONTEXT,
                y,
                back,
                pixels.length,
                channels,
                height,
                width,
                tall,
                wide),
        Grids.items(pixels.length, 8),
        back);
    for (int i = 0; i < pixels.length; i++) {
      boolean inside = i % width < columns * wide && i / width % height < rows * tall;
      assertThat(back.get(i)).isEqualTo(inside ? pixels[i] : 0);
    }
  }

  @Test
  void meansOverTokens() {
    float[] values = normal(8, 3 * 5 * 4);
    float[] upstream = normal(9, 3 * 4);
    FloatArray x = array(values);
    FloatArray y = new FloatArray(12);
    Launch.run(
        Launch.graph(x).task("t", Reductions::meanTokens, CONTEXT, x, y, 3, 5, 4),
        Grids.items(12, 8),
        y);
    assertClose(y.toHeapArray(), means(doubles(values)), 1e-6);
    FloatArray dy = array(upstream);
    FloatArray dx = new FloatArray(values.length);
    Launch.run(
        Launch.graph(dy).task("t", Reductions::meanTokensBackward, CONTEXT, dy, dx, 3, 5, 4),
        Grids.items(60, 8),
        dx);
    assertClose(
        dx.toHeapArray(), Reference.gradient(ElementwiseTest::means, values, upstream), 1e-6);
  }

  private static double[] means(double[] x) {
    double[] y = new double[12];
    for (int i = 0; i < x.length; i++) {
      y[i / 20 * 4 + i % 4] += x[i] / 5;
    }
    return y;
  }

  @Test
  void embedding() {
    float[] table = normal(10, 7 * 3);
    FloatArray ids = FloatArray.fromElements(6, 0, 3, 3, -1, 7, 6);
    FloatArray t = array(table);
    FloatArray y = new FloatArray(7 * 3);
    Launch.run(
        Launch.graph(ids, t).task("t", Embedding::lookUp, CONTEXT, ids, t, y, 7, 3, 7),
        Grids.items(21, 4),
        y);
    float[] upstream = normal(11, 21);
    float[] expected = new float[21];
    float[] gradient = new float[21];
    for (int i = 0; i < 21; i++) {
      int id = (int) ids.get(i / 3);
      if (id >= 0 && id < 7) {
        expected[i] = table[id * 3 + i % 3];
        gradient[id * 3 + i % 3] += upstream[i];
      }
    }
    assertThat(y.toHeapArray()).containsExactly(expected);
    FloatArray dy = array(upstream);
    FloatArray dTable = new FloatArray(21);
    Launch.run(
        Launch.graph(ids, dy).task("t", Embedding::backward, CONTEXT, ids, dy, dTable, 7, 3, 7),
        Grids.items(7, 4),
        dTable);
    assertThat(dTable.toHeapArray()).containsExactly(gradient);
  }

  @Test
  void positionsOfIds() {
    FloatArray ids = FloatArray.fromElements(5, 2, 9, 9, 2, 2, 7, 1, 3, 3, 3, 3);
    for (int wanted : new int[] {9, 2, -1}) {
      FloatArray y = new FloatArray(3);
      Launch.run(
          Launch.graph(ids).task("t", Embedding::positions, CONTEXT, ids, y, 3, 4, wanted),
          Grids.items(3, 2),
          y);
      float[] expected =
          switch (wanted) {
            case 9 -> new float[] {2, 4, 8};
            case 2 -> new float[] {1, 4, 8};
            default -> new float[] {2, 6, 8};
          };
      assertThat(y.toHeapArray()).containsExactly(expected);
    }
  }
}
