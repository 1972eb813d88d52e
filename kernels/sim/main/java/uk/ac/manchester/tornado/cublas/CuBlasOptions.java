package uk.ac.manchester.tornado.cublas;

import uk.ac.manchester.tornado.cublas.enums.CuBlasMathMode;

/** Settings of one call of cuBLAS. */
public final class CuBlasOptions {
  private CuBlasMathMode mode = CuBlasMathMode.CUBLAS_DEFAULT_MATH;

  public CuBlasOptions withMathMode(CuBlasMathMode mathMode) {
    mode = mathMode;
    return this;
  }

  public CuBlasMathMode getMathMode() {
    return mode;
  }
}
