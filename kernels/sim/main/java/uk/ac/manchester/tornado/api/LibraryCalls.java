package uk.ac.manchester.tornado.api;

import java.util.function.IntToDoubleFunction;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.cublas.CuBlasOptions;
import uk.ac.manchester.tornado.cublas.enums.CuBlasMathMode;

/**
 * NVIDIA's libraries, written out: cuBLAS' products of column-major matrices and cuDNN's attention.
 */
final class LibraryCalls {
  /** What TF32 leaves of a float: 10 bits of mantissa, rounded. */
  private static final int TF32_DROPPED = 13;

  private LibraryCalls() {}

  /** Makes a call, with the arrays showing their device memory. */
  static void call(LibraryTaskDescriptor call) {
    switch (call.getLibraryName() + " " + call.getFunctionName()) {
      case "nvidia/cublas cublasSgemm", "nvidia/cublas cublasGemmExFP16FP32" -> product(call);
      case "nvidia/cudnn sdpaForward" -> attention(call);
      default ->
          throw new TornadoRuntimeException(
              "the simulator knows no " + call.getFunctionName() + " of " + call.getLibraryName());
    }
  }

  /**
   * {@code C = alpha·op(A)·op(B) + beta·C}, C {@code [m, n]} with its columns one after another.
   */
  private static void product(LibraryTaskDescriptor call) {
    Object[] p = call.getParameters();
    boolean rough =
        call.getTuning() instanceof CuBlasOptions options
            && options.getMathMode() == CuBlasMathMode.CUBLAS_TF32_TENSOR_OP_MATH;
    int m = (int) p[2];
    int n = (int) p[3];
    int k = (int) p[4];
    float alpha = (float) p[5];
    IntToDoubleFunction a = reader(p[6], rough);
    int lda = leading("A", (int) p[7], (int) p[0] == 0 ? m : k);
    IntToDoubleFunction b = reader(p[8], rough);
    int ldb = leading("B", (int) p[9], (int) p[1] == 0 ? k : n);
    float beta = (float) p[10];
    FloatArray c = (FloatArray) p[11];
    int ldc = leading("C", (int) p[12], m);
    for (int column = 0; column < n; column++) {
      for (int row = 0; row < m; row++) {
        float sum = 0;
        for (int d = 0; d < k; d++) {
          double left = a.applyAsDouble((int) p[0] == 0 ? row + d * lda : d + row * lda);
          double right = b.applyAsDouble((int) p[1] == 0 ? d + column * ldb : column + d * ldb);
          sum += (float) (left * right);
        }
        int at = row + column * ldc;
        c.set(at, alpha * sum + (beta == 0 ? 0 : beta * c.get(at)));
      }
    }
  }

  private static int leading(String name, int dimension, int least) {
    if (dimension < least) {
      throw new TornadoRuntimeException(
          "cuBLAS: columns of " + name + " are " + dimension + " apart and " + least + " long");
    }
    return dimension;
  }

  private static IntToDoubleFunction reader(Object array, boolean rough) {
    return switch (array) {
      case FloatArray floats when rough -> i -> tf32(floats.get(i));
      case FloatArray floats -> floats::get;
      case HalfFloatArray halves -> i -> halves.get(i).getFloat32();
      default -> throw new TornadoRuntimeException("cuBLAS multiplies no " + array.getClass());
    };
  }

  private static float tf32(float value) {
    int half = 1 << (TF32_DROPPED - 1);
    return Float.intBitsToFloat(
        (Float.floatToRawIntBits(value) + half) >> TF32_DROPPED << TF32_DROPPED);
  }

  /** {@code softmax(scale·Q·Kᵀ)·V}, all {@code [batch, heads, tokens, width]}. */
  private static void attention(LibraryTaskDescriptor call) {
    Object[] p = call.getParameters();
    HalfFloatArray q = (HalfFloatArray) p[0];
    HalfFloatArray k = (HalfFloatArray) p[1];
    HalfFloatArray v = (HalfFloatArray) p[2];
    HalfFloatArray o = (HalfFloatArray) p[3];
    int all = (int) p[4] * (int) p[5];
    int queries = (int) p[6];
    int keys = (int) p[7];
    int width = (int) p[8];
    float scale = (float) p[9];
    boolean causal = (boolean) p[10];
    if (width % 8 != 0 || width > 256) {
      throw new TornadoRuntimeException("cuDNN: heads of " + width + " features");
    }
    float[] weights = new float[keys];
    for (int head = 0; head < all; head++) {
      for (int row = 0; row < queries; row++) {
        int at = (head * queries + row) * width;
        int seen = causal ? Math.min(keys, row + 1) : keys;
        float greatest = Float.NEGATIVE_INFINITY;
        for (int key = 0; key < seen; key++) {
          float score = 0;
          for (int i = 0; i < width; i++) {
            int from = (head * keys + key) * width + i;
            score += q.get(at + i).getFloat32() * k.get(from).getFloat32();
          }
          weights[key] = score * scale;
          greatest = Math.max(greatest, weights[key]);
        }
        float sum = 0;
        for (int key = 0; key < seen; key++) {
          weights[key] = (float) Math.exp(weights[key] - greatest);
          sum += weights[key];
        }
        for (int i = 0; i < width; i++) {
          float selected = 0;
          for (int key = 0; key < seen; key++) {
            selected += weights[key] * v.get((head * keys + key) * width + i).getFloat32();
          }
          o.set(at + i, new HalfFloat(selected / sum));
        }
      }
    }
  }
}
