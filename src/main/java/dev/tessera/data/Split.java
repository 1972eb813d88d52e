package dev.tessera.data;

import org.jspecify.annotations.Nullable;

/**
 * A data set divided for training.
 *
 * @param validation to choose by; without images where none were asked for
 * @param test for one look at the end; null where there is none
 */
public record Split(
    LabelledImages train, LabelledImages validation, @Nullable LabelledImages test) {

  /**
   * How a data set is divided: alike in every class, and no group of images across two parts.
   *
   * @param validation part of the images, from 0 to below 1
   * @param test part of the images of a data set that is not divided itself
   * @param seed equal seeds give equal splits; adding images moves few others
   */
  public record Settings(double validation, double test, long seed, Grouping grouping) {
    public Settings {
      if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
        throw new IllegalArgumentException(
            "parts of %s for validation and %s for testing leave nothing to train on"
                .formatted(validation, test));
      }
    }
  }
}
