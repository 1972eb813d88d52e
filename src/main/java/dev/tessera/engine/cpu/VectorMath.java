package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.SPECIES;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Transcendental functions over vectors. The coefficients, highest power first, are minimax fits
 * made for this class (Lawson's iteration on Chebyshev nodes, minimising the error of the result).
 */
final class VectorMath {
  static final float LOG2_E = 1.442695f;
  // ln 2 in two parts, the first with few bits, so that x − n·ln 2 is exact.
  static final float LN2_HIGH = 0.6933594f;
  static final float LN2_LOW = -2.1219444e-4f;

  // Adding 1.5·2²³ leaves the nearest integer in the low bits of the mantissa.
  static final float ROUND = 12582912f;

  /** Where 2ⁿ has the exponent −127, which is that of 0. */
  static final float LOWEST = -88.03f;

  /** The bits of 1, to which n is added where the exponent is. */
  static final int ONE = 127 << 23;

  private VectorMath() {}

  /**
   * e^x = 2ⁿ·(1 + r + r²·P(r)) for |r| ≤ ln 2/2, with a relative error below 2.5e-7; 0 below −87.68
   * and e^88.37 above 88.37. Not the smallest normal number in place of 0: what is multiplied with
   * that is subnormal, and arithmetic on subnormal numbers takes a hundred times as long.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(LOWEST).min(88.37f);
    FloatVector shifted = clamped.fma(broadcast(LOG2_E), broadcast(ROUND));
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(broadcast(-LN2_HIGH), clamped);
    r = n.fma(broadcast(-LN2_LOW), r);
    FloatVector p = broadcast(0.0013814467f).fma(r, broadcast(0.008368781f));
    p = p.fma(r, broadcast(0.041668393f));
    p = p.fma(r, broadcast(0.1666652f));
    p = p.fma(r, broadcast(0.49999994f));
    p = p.fma(r.mul(r), r.add(1f));
    return p.mul(
        shifted
            .reinterpretAsInts()
            .lanewise(VectorOperators.LSHL, 23)
            .add(ONE)
            .reinterpretAsFloats());
  }

  /** erf(x) = x·N(x²)/D(x²) for |x| ≤ 4, with an absolute error below 5e-7. */
  static FloatVector erf(FloatVector x) {
    FloatVector a = x.max(-4f).min(4f);
    FloatVector z = a.mul(a);
    FloatVector n = broadcast(1.9748254e-6f).fma(z, broadcast(2.8803997e-4f));
    n = n.fma(z, broadcast(0.0040036137f));
    n = n.fma(z, broadcast(0.053467378f));
    n = n.fma(z, broadcast(0.19624834f));
    n = n.fma(z, broadcast(1.128379f));
    FloatVector d = broadcast(3.7480735e-5f).fma(z, broadcast(0.0012163507f));
    d = d.fma(z, broadcast(0.015444358f));
    d = d.fma(z, broadcast(0.11647615f));
    d = d.fma(z, broadcast(0.50725174f));
    d = d.fma(z, broadcast(1f));
    return a.mul(n).div(d);
  }

  /** tanh(x) = x·N(x²)/D(x²) for |x| ≤ 9, with an absolute error below 5e-7. */
  static FloatVector tanh(FloatVector x) {
    FloatVector a = x.max(-9f).min(9f);
    FloatVector z = a.mul(a);
    FloatVector n = broadcast(-1.2082867e-11f).fma(z, broadcast(3.0400663e-8f));
    n = n.fma(z, broadcast(2.792326e-5f));
    n = n.fma(z, broadcast(0.0038639274f));
    n = n.fma(z, broadcast(0.13676342f));
    n = n.fma(z, broadcast(1f));
    FloatVector d = broadcast(1.2817263e-6f).fma(z, broadcast(3.931037e-4f));
    d = d.fma(z, broadcast(0.027229536f));
    d = d.fma(z, broadcast(0.47009674f));
    d = d.fma(z, broadcast(1f));
    return a.mul(n).div(d);
  }

  static FloatVector sigmoid(FloatVector x) {
    return broadcast(1f).div(exp(x.neg()).add(1f));
  }

  static FloatVector activate(Activation activation, FloatVector x) {
    return switch (activation) {
      case IDENTITY -> x;
      case GELU -> gelu(x);
      case GELU_TANH -> geluTanh(x);
      case QUICK_GELU -> x.mul(sigmoid(x.mul(1.702f)));
      case RELU -> x.max(0f);
      case SILU -> x.mul(sigmoid(x));
      case TANH -> tanh(x);
      case SIGMOID -> sigmoid(x);
    };
  }

  /** 0.5·x·(1 + erf(x/√2)). */
  static FloatVector gelu(FloatVector x) {
    FloatVector half = x.mul(0.5f);
    return half.fma(erf(x.mul(0.70710677f)), half);
  }

  /** 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  private static FloatVector geluTanh(FloatVector x) {
    FloatVector half = x.mul(0.5f);
    FloatVector inner = x.mul(x).fma(broadcast(0.044715f), broadcast(1f)).mul(x).mul(0.7978846f);
    return half.fma(tanh(inner), half);
  }

  /** The derivatives of the non-linearities. */
  static FloatVector derivative(Activation activation, FloatVector x) {
    return switch (activation) {
      case IDENTITY -> broadcast(1f);
      case GELU -> geluDerivative(x);
      case GELU_TANH -> geluTanhDerivative(x);
      case QUICK_GELU -> {
        FloatVector s = sigmoid(x.mul(1.702f));
        yield x.mul(1.702f).mul(broadcast(1f).sub(s)).fma(s, s);
      }
      case RELU -> broadcast(1f).blend(0f, x.compare(VectorOperators.LE, 0f));
      case SILU -> {
        FloatVector s = sigmoid(x);
        yield x.mul(broadcast(1f).sub(s)).fma(s, s);
      }
      case TANH -> {
        FloatVector t = tanh(x);
        yield broadcast(1f).sub(t.mul(t));
      }
      case SIGMOID -> {
        FloatVector s = sigmoid(x);
        yield s.mul(broadcast(1f).sub(s));
      }
    };
  }

  /** Φ(x) + x·φ(x). */
  private static FloatVector geluDerivative(FloatVector x) {
    return x.fma(normalDensity(x), normalDistribution(x));
  }

  /** φ(x) = exp(−x²/2)/√(2π). */
  static FloatVector normalDensity(FloatVector x) {
    return exp(x.mul(x).mul(-0.5f)).mul(0.3989423f);
  }

  /** Φ(x) = (1 + erf(x/√2))/2. */
  static FloatVector normalDistribution(FloatVector x) {
    return erf(x.mul(0.70710677f)).fma(broadcast(0.5f), broadcast(0.5f));
  }

  /** (1 + t)/2 + x·(1 − t²)/2·√(2/π)·(1 + 3·0.044715·x²), with t the tanh in GELU's formula. */
  private static FloatVector geluTanhDerivative(FloatVector x) {
    FloatVector square = x.mul(x);
    FloatVector t = tanh(square.fma(broadcast(0.044715f), broadcast(1f)).mul(x).mul(0.7978846f));
    FloatVector slope = square.fma(broadcast(0.134145f), broadcast(1f)).mul(x).mul(0.3989423f);
    FloatVector level = t.fma(broadcast(0.5f), broadcast(0.5f));
    return slope.fma(broadcast(1f).sub(t.mul(t)), level);
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}
