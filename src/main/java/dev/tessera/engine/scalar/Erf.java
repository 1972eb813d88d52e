package dev.tessera.engine.scalar;

/** The error function in double precision. */
final class Erf {
  private Erf() {}

  /**
   * erf(x) to about 1e-15: the Maclaurin series 2/√π·Σ (−1)ⁿ x²ⁿ⁺¹/(n!(2n+1)) in its all-positive
   * form (Abramowitz and Stegun 7.1.6) below 3, the continued fraction of erfc (7.1.14) above.
   */
  static double erf(double x) {
    double a = Math.abs(x);
    if (Double.isNaN(x)) {
      return x;
    }
    double result = a < 3 ? series(a) : 1 - complement(a);
    return Math.copySign(result, x);
  }

  private static double series(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; term > sum * 1e-17; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  private static double complement(double x) {
    if (x > 27) {
      return 0;
    }
    double fraction = x;
    for (int n = 60; n > 0; n--) {
      fraction = x + n / 2.0 / fraction;
    }
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
  }
}
