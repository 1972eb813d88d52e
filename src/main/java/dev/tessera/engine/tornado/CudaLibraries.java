package dev.tessera.engine.tornado;

import dev.tessera.engine.Precision;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * Calls of NVIDIA's libraries, as the factories of TornadoVM's {@code tornado-cublas} and {@code
 * tornado-cudnn} make them. Made here because those modules are in the SDK for CUDA alone, and this
 * class is compiled and loaded without, too.
 */
final class CudaLibraries {
  private static final String OPTIONS = "uk.ac.manchester.tornado.cublas.CuBlasOptions";
  private static final String MODES = "uk.ac.manchester.tornado.cublas.enums.CuBlasMathMode";
  private static final int NOT_TRANSPOSED = 0;
  private static final int TRANSPOSED = 1;

  private CudaLibraries() {}

  /** Whether this JVM has TornadoVM's module for cuBLAS. */
  static boolean isPresent() {
    try {
      Class.forName(OPTIONS, false, CudaLibraries.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /**
   * {@code C = A·Bᵀ}, C {@code [m, n]} and of floats, A {@code [m, k]}, B {@code [n, k]}, both of
   * floats or both of halves.
   */
  static LibraryTaskDescriptor product(
      Emitter.Matrix<?> a,
      Emitter.Matrix<?> b,
      FloatArray c,
      int m,
      int n,
      int k,
      Precision precision) {
    // To cuBLAS, whose columns are our rows, this is Cᵀ = B·Aᵀ.
    LibraryTaskDescriptor call =
        call(
            "nvidia/cublas",
            a.array() instanceof HalfFloatArray ? "cublasGemmExFP16FP32" : "cublasSgemm",
            11,
            b.depth() == 1 ? TRANSPOSED : NOT_TRANSPOSED,
            a.depth() == 1 ? NOT_TRANSPOSED : TRANSPOSED,
            n,
            m,
            k,
            1f,
            b.array(),
            leading(b, k),
            a.array(),
            leading(a, k),
            0f,
            c,
            n);
    return precision == Precision.TF32 ? call.withTuning(tensorFloats()) : call;
  }

  /** From one column, as cuBLAS sees them, to the next; a single one may say anything. */
  private static int leading(Emitter.Matrix<?> matrix, int k) {
    return matrix.depth() == 1 ? Math.max(matrix.line(), k) : matrix.depth();
  }

  /**
   * {@code softmax(scale·Q·Kᵀ)·V}, all {@code [batch, heads, tokens, width]} of halves; width a
   * multiple of 8 up to 256.
   */
  static LibraryTaskDescriptor attention(
      HalfFloatArray q,
      HalfFloatArray k,
      HalfFloatArray v,
      HalfFloatArray y,
      LayerSteps.Heads sizes,
      float scale,
      boolean causal) {
    return call(
        "nvidia/cudnn",
        "sdpaForward",
        3,
        q,
        k,
        v,
        y,
        sizes.batch(),
        sizes.heads(),
        sizes.queries(),
        sizes.keys(),
        sizes.width(),
        scale,
        causal);
  }

  private static LibraryTaskDescriptor call(
      String library, String function, int output, Object... parameters) {
    Access[] access = new Access[parameters.length];
    Arrays.fill(access, Access.READ_ONLY);
    access[output] = Access.WRITE_ONLY;
    return new LibraryTaskDescriptor()
        .withLibrary(library)
        .withFunction(function)
        .withParameters(parameters)
        .withAccess(access);
  }

  /**
   * {@code new CuBlasOptions().withMathMode(CUBLAS_TF32_TENSOR_OP_MATH)}, a class that may lack.
   */
  private static Object tensorFloats() {
    try {
      Class<?> modes = Class.forName(MODES);
      Object mode =
          Arrays.stream(modes.getEnumConstants())
              .filter(constant -> constant.toString().equals("CUBLAS_TF32_TENSOR_OP_MATH"))
              .findFirst()
              .orElseThrow();
      Class<?> options = Class.forName(OPTIONS);
      Object made = options.getConstructor().newInstance();
      return options.getMethod("withMathMode", modes).invoke(made, mode);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("TornadoVM's cuBLAS module has no TF32", e);
    }
  }
}
