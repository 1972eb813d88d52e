package dev.tessera.data;

import java.nio.file.Path;

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

  /**
   * In a file, which the next run on the same images and settings uses as well.
   *
   * @param folder where the file is made; of no use to anything else
   * @param bytes most to be written
   */
  record Disk(Path folder, long bytes) implements PictureCache {}
}
