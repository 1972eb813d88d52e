package dev.tessera.train;

import dev.tessera.train.Schedule.OneCycle.Anneal;
import java.util.Locale;

/**
 * A schedule before the number of updates is known.
 *
 * @param peak highest learning rate
 * @param minimum lowest at the end, of a cosine
 * @param warmup share of all updates in which the rate rises, from 0 to below 1
 */
public record ScheduleChoice(Kind kind, double peak, double minimum, double warmup) {
  /** The forms of a schedule. */
  public enum Kind {
    COSINE,
    LINEAR,
    INVERSE_SQRT,
    ONE_CYCLE,
    CONSTANT;

    /** As the command line has it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public ScheduleChoice {
    if (!(warmup >= 0 && warmup < 1)) {
      throw new IllegalArgumentException(
          "warm-up must be a share of the training from 0 to below 1, not " + warmup);
    }
  }

  /** The schedule of a training of {@code total} updates. */
  public Schedule of(int total) {
    int rise = (int) Math.round(warmup * total);
    return switch (kind) {
      case COSINE -> new Schedule.Cosine(peak, minimum, rise, total);
      case LINEAR -> new Schedule.Linear(peak, rise, total);
      case INVERSE_SQRT -> Schedule.InverseSquareRoot.ofPeak(peak, Math.max(1, rise));
      case ONE_CYCLE -> new Schedule.OneCycle(peak, total, warmup, 25, 1e4, Anneal.COSINE, false);
      case CONSTANT -> new Schedule.Constant(peak, rise);
    };
  }
}
