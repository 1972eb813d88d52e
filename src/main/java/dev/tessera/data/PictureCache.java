package dev.tessera.data;

/** Where decoded and resized images are kept for the next epoch, as many as fit. */
public sealed interface PictureCache {
  /** Nothing is kept: every epoch decodes. */
  record None() implements PictureCache {}

  /**
   * In memory.
   *
   * @param bytes most to be taken
   */
  record Memory(long bytes) implements PictureCache {}
}
