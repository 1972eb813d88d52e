package uk.ac.manchester.tornado.cublas.enums;

/** How cuBLAS may compute products of floats. */
public enum CuBlasMathMode {
  CUBLAS_DEFAULT_MATH,
  /** With factors of 11 significant bits and sums of floats. */
  CUBLAS_TF32_TENSOR_OP_MATH
}
