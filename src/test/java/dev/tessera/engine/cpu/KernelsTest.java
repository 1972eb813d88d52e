package dev.tessera.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.engine.scalar.ScalarKernels;
import dev.tessera.graph.Activation;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.BiConsumer;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernels' accuracy over their whole range, and that the JIT makes vector code of them. */
class KernelsTest {
  @ParameterizedTest
  @EnumSource(Activation.class)
  void activationsAreWithinTwoMillionths(Activation activation) {
    float[] x = range(-30, 30, 400_003);
    for (BiConsumer<float[], Integer> kernel :
        java.util.List.<BiConsumer<float[], Integer>>of(
            (y, n) -> VectorKernels.activate(activation, y, 0, n),
            (y, n) -> PlainKernels.activate(activation, y, 0, n))) {
      float[] y = x.clone();
      kernel.accept(y, y.length);
      for (int i = 0; i < x.length; i++) {
        double want = ScalarKernels.activate(activation, x[i]);
        double error = Math.abs(y[i] - want) / Math.max(1, Math.abs(want));
        assertThat(error).as("%s(%s) = %s", activation, x[i], y[i]).isLessThan(2e-6);
      }
    }
  }

  @Test
  void expIsWithinTwoUlp() {
    float[] x = range(-87, 88, 300_007);
    for (int i = 0; i + Lanes.WIDTH <= x.length; i += Lanes.WIDTH) {
      float[] y = new float[Lanes.WIDTH];
      VectorMath.exp(FloatVector.fromArray(Lanes.SPECIES, x, i)).intoArray(y, 0);
      for (int lane = 0; lane < y.length; lane++) {
        double want = Math.exp(x[i + lane]);
        assertThat(Math.abs(y[lane] / want - 1)).as("exp(%s)", x[i + lane]).isLessThan(2.5e-7);
      }
    }
  }

  @Test
  void expSaturates() {
    float[] x = new float[Lanes.WIDTH];
    float[] y = new float[Lanes.WIDTH];
    x[0] = -Float.MAX_VALUE;
    x[1] = 1000;
    VectorMath.exp(FloatVector.fromArray(Lanes.SPECIES, x, 0)).intoArray(y, 0);
    assertThat(y[0]).isEqualTo(0f); // exactly: see VectorMath.exp
    assertThat(y[1]).isBetween(2e38f, Float.MAX_VALUE);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64, 131})
  void rowsInPlaceMultiplyAsPackedOnesDo(int depth) {
    int stride = depth + 3;
    float[] a = range(-1, 1, Lanes.ROWS * stride);
    float[] packed = new float[Lanes.ROWS * depth];
    Packing.rows(a, 2, stride, Lanes.ROWS, depth, packed, 0);
    float[] b = range(-2, 3, depth * Lanes.COLUMNS);
    try (Arena arena = Arena.ofConfined()) {
      long panel = NativeFloats.allocate(arena, b.length);
      NativeFloats.copy(b, 0, panel, b.length);
      float[][] c = new float[4][Lanes.ROWS * Lanes.COLUMNS];
      PlainKernels.multiplyAdd(packed, 0, panel, depth, c[0], 0, Lanes.COLUMNS);
      PlainKernels.multiplyRows(a, 2, stride, panel, depth, c[1], 0, Lanes.COLUMNS);
      VectorKernels.multiplyAdd(packed, 0, panel, depth, c[2], 0, Lanes.COLUMNS);
      VectorKernels.multiplyRows(a, 2, stride, panel, depth, c[3], 0, Lanes.COLUMNS);
      for (int i = 1; i < c.length; i++) {
        assertThat(c[i]).isEqualTo(c[0]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 64})
  void theFirstColumnsOfAPanelAreTheSameAlone(int depth) {
    int stride = depth + 3;
    int columns = 2 * Lanes.WIDTH;
    float[] a = range(-1, 1, Lanes.ROWS * stride);
    float[] packed = new float[Lanes.ROWS * depth];
    Packing.rows(a, 2, stride, Lanes.ROWS, depth, packed, 0);
    float[] b = range(-2, 3, depth * Lanes.COLUMNS);
    Kernels kernels = new Kernels();
    kernels.useVectorProducts();
    kernels.useVectorRows();
    try (Arena arena = Arena.ofConfined()) {
      long panel = NativeFloats.allocate(arena, b.length);
      NativeFloats.copy(b, 0, panel, b.length);
      float[][] c = new float[3][Lanes.ROWS * Lanes.COLUMNS];
      VectorKernels.multiplyAdd(packed, 0, panel, depth, c[0], 0, Lanes.COLUMNS);
      kernels.multiplyAdd(packed, 0, panel, depth, c[1], 0, Lanes.COLUMNS, columns);
      kernels.multiplyRows(a, 2, stride, panel, depth, c[2], 0, Lanes.COLUMNS, columns);
      for (int row = 0; row < Lanes.ROWS; row++) {
        int from = row * Lanes.COLUMNS;
        float[] want = Arrays.copyOfRange(c[0], from, from + columns);
        assertThat(Arrays.copyOfRange(c[1], from, from + columns)).isEqualTo(want);
        assertThat(Arrays.copyOfRange(c[2], from, from + columns)).isEqualTo(want);
      }
    }
  }

  @Test
  void sumsOfRowsAreTheSameBothWays() {
    float[] left = range(-1, 1, 3 * Lanes.COLUMNS);
    float[] right = range(5, -7, 2 * Lanes.COLUMNS);
    Kernels plain = new Kernels();
    Kernels vector = new Kernels();
    vector.useVectorProducts();
    float[] expected = new float[2 * Lanes.COLUMNS];
    plain.sum(left, 3, right, 1, expected, 2, Lanes.COLUMNS);
    for (int i = 0; i < Lanes.COLUMNS; i++) {
      assertThat(expected[2 + i]).isEqualTo(left[3 + i] + right[1 + i]);
    }
    float[] output = new float[2 * Lanes.COLUMNS];
    vector.sum(left, 3, right, 1, output, 2, Lanes.COLUMNS);
    assertThat(output).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 6})
  void vectorsTransposeAsLoopsDo(int columns) {
    float[] source = range(-1, 1, 40 * 9);
    float[] loops = range(5, 6, 40 * Lanes.ROWS);
    float[] vectors = loops.clone();
    Packing.transposedRows(source, 2, 9, columns, 38, loops, 6);
    VectorKernels.transposedRows(source, 2, 9, columns, 38, vectors, 6);
    assertThat(vectors).isEqualTo(loops);
  }

  @Test
  void becomeVectorised() {
    Kernels kernels = new Kernels();
    assertThat(kernels.vectorised()).isFalse();
    WarmUp warmUp = new WarmUp(kernels);
    warmUp.begin(WarmUp.Kind.PRODUCTS);
    warmUp.await(Duration.ofSeconds(30));
    assertThat(kernels.vectorProducts()).isTrue();
    assertThat(kernels.vectorised()).isFalse();
    warmUp.begin(WarmUp.Kind.PRODUCTS, WarmUp.Kind.ELEMENTS);
    warmUp.await(Duration.ofSeconds(30));
    assertThat(kernels.vectorised()).isTrue();
    assertThat(kernels.vectorRows()).isFalse();
    warmUp.begin(WarmUp.Kind.ROWS);
    warmUp.await(Duration.ofSeconds(30));
    assertThat(kernels.vectorRows()).isTrue();
  }

  @Test
  void becomeVectorisedOnRequest() {
    try (CpuEngine engine = new CpuEngine(1)) {
      engine.warmUp();
      assertThat(engine.kernels().vectorised()).isTrue();
    }
  }

  private static float[] range(double from, double to, int count) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) (from + (to - from) * i / (count - 1));
    }
    return x;
  }
}
