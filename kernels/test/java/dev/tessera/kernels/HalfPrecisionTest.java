package dev.tessera.kernels;

import static dev.tessera.kernels.Launch.CONTEXT;
import static dev.tessera.kernels.Launch.array;
import static dev.tessera.kernels.Launch.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

class HalfPrecisionTest {
  @BeforeAll
  static void needsHalves() {
    assumeThat(Launch.hasHalves()).as("skipped: OpenCL on CPUs has no cl_khr_fp16").isTrue();
  }

  @Test
  void rounds() {
    float[] values = normal(1, 37);
    values[3] = 1e5f;
    values[4] = 6e-8f;
    FloatArray x = array(values);
    HalfFloatArray y = new HalfFloatArray(values.length);
    Launch.run(
        Launch.graph(x).task("t", HalfPrecision::fromFloats, CONTEXT, x, y, values.length),
        Grids.items(values.length, 16),
        y);
    for (int i = 0; i < values.length; i++) {
      assertThat(y.get(i).getFloat32()).isEqualTo(rounded(values[i]));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "2, 5, 3, 7", "3, 17, 2, 8"})
  void splitsAndMergesHeads(int batch, int tokens, int heads, int width) {
    int n = batch * tokens * heads * width;
    float[] values = normal(2, n);
    FloatArray x = array(values);
    FloatArray none = array(new float[1]);
    HalfFloatArray y = split(x, none, 0, tokens, heads, width);
    float[] start = normal(3, heads * width);
    HalfFloatArray biased = split(x, array(start), Gemm.BIAS, tokens, heads, width);
    HalfFloatArray twice = split(x, array(start), Gemm.BIAS + Gemm.RESIDUAL, tokens, heads, width);
    for (int b = 0, i = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < tokens; t++) {
          for (int w = 0; w < width; w++, i++) {
            float value = values[((b * tokens + t) * heads + h) * width + w];
            assertThat(y.get(i).getFloat32()).isEqualTo(rounded(value));
            float sum = value + start[h * width + w];
            assertThat(biased.get(i).getFloat32()).isEqualTo(rounded(sum));
            assertThat(twice.get(i).getFloat32()).isEqualTo(rounded(sum + value));
          }
        }
      }
    }
    FloatArray z = new FloatArray(n);
    Launch.run(
        Launch.graph()
            .transferToDevice(DataTransferMode.EVERY_EXECUTION, y)
            .task("t", HalfPrecision::mergeHeads, CONTEXT, y, z, tokens, heads, width, n),
        Grids.items(n, 16),
        z);
    HalfFloatArray halves = new HalfFloatArray(n);
    Launch.run(
        Launch.graph()
            .transferToDevice(DataTransferMode.EVERY_EXECUTION, y)
            .task("t", HalfPrecision::mergeHalves, CONTEXT, y, halves, tokens, heads, width, n),
        Grids.items(n, 16),
        halves);
    for (int i = 0; i < n; i++) {
      assertThat(z.get(i)).isEqualTo(rounded(values[i]));
      assertThat(halves.get(i).getFloat32()).isEqualTo(rounded(values[i]));
    }
  }

  private static HalfFloatArray split(
      FloatArray x, FloatArray bias, int epilogue, int tokens, int heads, int width) {
    int n = x.getSize();
    HalfFloatArray y = new HalfFloatArray(n);
    Launch.run(
        Launch.graph(x, bias)
            .task(
                "t",
                HalfPrecision::splitHeads,
                CONTEXT,
                x,
                bias,
                x, // as a residual
                y,
                tokens,
                heads,
                width,
                n,
                epilogue),
        Grids.items(n, 16),
        y);
    return y;
  }

  @Test
  void completesProducts() {
    int m = 5;
    int n = 7;
    FloatArray c = array(normal(4, m * n));
    FloatArray bias = array(normal(5, n));
    FloatArray residual = array(normal(6, m * n));
    for (int epilogue : new int[] {0, Gemm.BIAS, Gemm.BIAS + Gemm.RESIDUAL}) {
      HalfFloatArray y = new HalfFloatArray(m * n);
      Launch.run(
          Launch.graph(c, bias, residual)
              .task("t", HalfPrecision::complete, CONTEXT, c, bias, residual, y, m, n, epilogue),
          Grids.items(m * n, 16),
          y);
      for (int i = 0; i < m * n; i++) {
        float value = c.get(i);
        value += (epilogue & Gemm.BIAS) == 0 ? 0 : bias.get(i % n);
        value += (epilogue & Gemm.RESIDUAL) == 0 ? 0 : residual.get(i);
        assertThat(y.get(i).getFloat32()).isEqualTo(rounded(value));
      }
    }
  }

  private static float rounded(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }
}
