package dev.tessera.image;

/**
 * Random numbers that are a function of a seed and counters, so that whoever asks for those of an
 * image gets the same ones on every thread, in every order and after every restart.
 *
 * <p>SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014)
 * from a start that hashes the key. Transcendental functions are those of {@link StrictMath}, which
 * gives the same bits on every machine. Not for use by several threads.
 */
public final class Draws {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private long state;

  private Draws(long state) {
    this.state = state;
  }

  /** The sequence that belongs to {@code seed} and {@code counters}, in this order. */
  public static Draws of(long seed, long... counters) {
    long state = mix(seed + GOLDEN);
    for (long counter : counters) {
      state = mix(state + GOLDEN * (2 * counter + 1));
    }
    return new Draws(state);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }

  /** 64 random bits. */
  public long bits() {
    state += GOLDEN;
    return mix(state);
  }

  /** A number from 0 (inclusive) to 1 (exclusive). */
  public double uniform() {
    return (bits() >>> 11) * 0x1.0p-53;
  }

  /** A number from {@code from} to {@code to}. */
  public double uniform(double from, double to) {
    return from + (to - from) * uniform();
  }

  /** A number from 0 (inclusive) to {@code bound} (exclusive), which must be positive. */
  public int below(int bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("nothing is below " + bound);
    }
    return (int) Math.unsignedMultiplyHigh(bits(), bound);
  }

  /** True with the given probability. */
  public boolean chance(double probability) {
    return uniform() < probability;
  }

  /** The standard normal distribution, by Box and Muller's transform. */
  public double gaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform()));
    return radius * StrictMath.cos(2 * Math.PI * uniform());
  }

  /** The distribution Beta({@code alpha}, {@code alpha}) for {@code alpha} above 0. */
  public double beta(double alpha) {
    double first = gamma(alpha);
    double second = gamma(alpha);
    // A tiny alpha puts all weight on the ends, and both may underflow.
    return first + second > 0 ? first / (first + second) : below(2);
  }

  /** Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
  private double gamma(double shape) {
    if (shape < 1) {
      return gamma(shape + 1) * StrictMath.pow(1 - uniform(), 1 / shape);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / StrictMath.sqrt(9 * d);
    while (true) {
      double x = gaussian();
      double root = 1 + c * x;
      if (root > 0) {
        double v = root * root * root;
        if (StrictMath.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * StrictMath.log(v)) {
          return d * v;
        }
      }
    }
  }
}
