package dev.tessera.train;

/**
 * How fast a training goes through its schedule where time is limited. The rate of updates is
 * measured over all that takes time, validation included; from it follows how many schedule steps
 * each update must take so that the schedule ends with the time.
 */
final class Pace {
  private final double maxSeconds;
  private final boolean fillTime;

  /** Updates before the first estimate: the first ones are slow, and tell little. */
  private final int first;

  /** Updates between estimates. */
  private final int every;

  private long updates;
  private double since;
  private double reserve;

  /**
   * @param maxSeconds 0 for no limit
   * @param fillTime whether steps may be smaller than one, to take the whole time
   * @param steps of the schedule
   */
  Pace(double maxSeconds, boolean fillTime, double steps) {
    this.first = (int) Math.clamp(steps / 20, 2, 20);
    this.every = (int) Math.clamp(steps / 20, 1, 50);
    this.maxSeconds = maxSeconds;
    this.fillTime = fillTime;
  }

  /** Whether {@link #reserve} was called. */
  boolean hasReserve() {
    return reserve > 0;
  }

  /** What a last validation will take, which must fit into the time as well. */
  void reserve(double seconds) {
    reserve = seconds;
  }

  /** Whether the time is over. */
  boolean isOver(double seconds) {
    return maxSeconds > 0 && seconds + reserve >= maxSeconds;
  }

  /**
   * The stride after one more update.
   *
   * @param stride so far
   * @param left schedule steps up to the end
   * @param seconds that the training has taken
   */
  double next(double stride, double left, double seconds) {
    updates++;
    if (maxSeconds == 0) {
      return stride;
    }
    if (updates == first) {
      since = seconds;
    }
    if (updates <= first || (updates - first) % every != 0) {
      return stride;
    }
    double perUpdate = (seconds - since) / (updates - first);
    double affordable = Math.max(1, (maxSeconds - reserve - seconds) / perUpdate);
    double wanted = left / affordable;
    return fillTime ? wanted : Math.max(1, wanted);
  }
}
