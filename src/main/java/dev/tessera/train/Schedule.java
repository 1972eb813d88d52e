package dev.tessera.train;

/**
 * The learning rate over the course of a training. Steps are updates of the parameters, counted
 * from 0: {@code learningRate(0)} is the rate of the first update. A step may be a fraction, for
 * trainings that run through their schedule faster than planned.
 */
public sealed interface Schedule {
  /** The learning rate of update {@code step}, at least 0. */
  double learningRate(double step);

  /** A linear rise from 0 over {@code warmup} updates, then always {@code peak}. */
  record Constant(double peak, int warmup) implements Schedule {
    public Constant {
      checkPeak(peak);
      checkSteps(warmup, Integer.MAX_VALUE);
    }

    @Override
    public double learningRate(double step) {
      return step < warmup ? rise(peak, step, warmup) : peak;
    }
  }

  /**
   * A linear rise from 0 over {@code warmup} updates, then half a period of a cosine down to {@code
   * minimum} at update {@code total} (Loshchilov and Hutter, arXiv:1608.03983; {@code
   * get_cosine_schedule_with_warmup} of {@code transformers}, with a minimum).
   */
  record Cosine(double peak, double minimum, int warmup, int total) implements Schedule {
    public Cosine {
      checkPeak(peak);
      checkSteps(warmup, total);
      if (!(minimum >= 0 && minimum <= peak)) {
        throw new IllegalArgumentException(
            "the lowest learning rate must be from 0 to the highest, " + peak + ", not " + minimum);
      }
    }

    @Override
    public double learningRate(double step) {
      return step < warmup
          ? rise(peak, step, warmup)
          : minimum
              + (peak - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress(step, warmup, total)));
    }
  }

  /**
   * A linear rise from 0 over {@code warmup} updates, then a linear fall to 0 at update {@code
   * total} ({@code get_linear_schedule_with_warmup} of {@code transformers}).
   */
  record Linear(double peak, int warmup, int total) implements Schedule {
    public Linear {
      checkPeak(peak);
      checkSteps(warmup, total);
    }

    @Override
    public double learningRate(double step) {
      return step < warmup ? rise(peak, step, warmup) : peak * (1 - progress(step, warmup, total));
    }
  }

  /**
   * A linear rise over {@code warmup} updates, then a fall with the inverse square root of the
   * update's number, which here counts from 1: {@code factor · min(n^-0.5, n · warmup^-1.5)}
   * (Vaswani et al., arXiv:1706.03762, equation 3).
   */
  record InverseSquareRoot(double factor, int warmup) implements Schedule {
    public InverseSquareRoot {
      checkPeak(factor);
      if (warmup < 1) {
        throw new IllegalArgumentException("warm-up must take at least 1 step, not " + warmup);
      }
    }

    /** The schedule of the original Transformer with {@code hidden} features a token. */
    public static InverseSquareRoot ofWidth(int hidden, int warmup) {
      return new InverseSquareRoot(1 / Math.sqrt(hidden), warmup);
    }

    /** The schedule whose highest rate, at the end of warm-up, is {@code peak}. */
    public static InverseSquareRoot ofPeak(double peak, int warmup) {
      return new InverseSquareRoot(peak * Math.sqrt(warmup), warmup);
    }

    @Override
    public double learningRate(double step) {
      double n = step + 1;
      return factor * Math.min(1 / Math.sqrt(n), n / (warmup * Math.sqrt(warmup)));
    }
  }

  /**
   * One cycle: from {@code peak / startDivisor} up to {@code peak} within the share {@code rising}
   * of all updates, then down to {@code peak / startDivisor / endDivisor} (Smith and Topin,
   * arXiv:1708.07120; {@code OneCycleLR} of torch, whose defaults are 0.3, 25 and 1e4).
   *
   * @param threePhases down to the start's rate in as many updates as it rose, then to the end's
   */
  record OneCycle(
      double peak,
      int total,
      double rising,
      double startDivisor,
      double endDivisor,
      Anneal anneal,
      boolean threePhases)
      implements Schedule {
    /** The way between two rates. */
    public enum Anneal {
      COSINE,
      LINEAR;

      double between(double from, double to, double progress) {
        return this == COSINE
            ? to + (from - to) / 2 * (1 + Math.cos(Math.PI * progress))
            : (to - from) * progress + from;
      }
    }

    public OneCycle {
      checkPeak(peak);
      checkSteps(0, total);
      if (!(rising >= 0 && rising <= 1)) {
        throw new IllegalArgumentException("the rising share must be from 0 to 1, not " + rising);
      }
      if (!(startDivisor > 0 && endDivisor > 0)) {
        throw new IllegalArgumentException("divisors of the learning rate must be above 0");
      }
    }

    /** With torch's defaults. */
    public static OneCycle of(double peak, int total) {
      return new OneCycle(peak, total, 0.3, 25, 1e4, Anneal.COSINE, false);
    }

    @Override
    public double learningRate(double step) {
      double start = peak / startDivisor;
      double end = start / endDivisor;
      double top = rising * total - 1;
      double last = total - 1.0;
      if (step <= top) {
        return anneal.between(start, peak, top > 0 ? step / top : 1);
      }
      double foot = 2 * rising * total - 2;
      if (!threePhases) {
        return fall(peak, end, step, top, last);
      }
      return step <= foot ? fall(peak, start, step, top, foot) : fall(start, end, step, foot, last);
    }

    private double fall(double from, double to, double step, double first, double last) {
      return anneal.between(
          from, to, last > first ? Math.min(1, (step - first) / (last - first)) : 1);
    }
  }

  private static double rise(double peak, double step, int warmup) {
    return peak * step / warmup;
  }

  /** How much of the way from {@code warmup} to {@code total} is behind, from 0 to 1. */
  private static double progress(double step, int warmup, int total) {
    return Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  }

  private static void checkPeak(double peak) {
    if (!(peak >= 0 && peak < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("a learning rate must be at least 0, not " + peak);
    }
  }

  private static void checkSteps(int warmup, int total) {
    if (warmup < 0 || total < 1 || warmup > total) {
      throw new IllegalArgumentException(
          "warm-up of " + warmup + " steps does not fit a training of " + total);
    }
  }
}
