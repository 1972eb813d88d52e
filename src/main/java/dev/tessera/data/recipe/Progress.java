package dev.tessera.data.recipe;

/** How far a preparation is, for whoever shows it. */
public interface Progress {
  /** Shows nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void message(String text) {}

        @Override
        public void advance(String what, long done, long total) {}
      };

  /** One line about what is being done. */
  void message(String text);

  /**
   * Something was done of the current step; called often.
   *
   * @param what the file or the step
   * @param done bytes or images
   * @param total as many at the end; below 0 where that is not known
   */
  void advance(String what, long done, long total);
}
