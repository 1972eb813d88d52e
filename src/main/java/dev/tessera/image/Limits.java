package dev.tessera.image;

/**
 * What a {@link Decoder} accepts before it believes a file.
 *
 * @param maxPixels largest width times height; the default is Pillow's
 * @param maxFileBytes largest file
 */
public record Limits(long maxPixels, long maxFileBytes) {
  /** Pillow's decompression bomb limit (twice a quarter of a gigabyte of RGB) and 1 GiB. */
  public static final Limits DEFAULT = new Limits(178_956_970L, 1L << 30);

  public Limits {
    if (maxPixels < 1 || maxFileBytes < 1) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }

  /** Refuses a picture without pixels or with more than {@link #maxPixels}. */
  void check(long width, long height) throws ImageException {
    if (width < 1 || height < 1) {
      throw new ImageException("has no pixels (%d x %d)".formatted(width, height));
    }
    // 715 million pixels is what fits a Java array of RGB bytes, whatever the setting.
    if (width > Integer.MAX_VALUE
        || height > Integer.MAX_VALUE
        || width > Math.min(maxPixels, (Integer.MAX_VALUE - 64) / 3) / height) {
      throw new ImageException(
          "claims %d x %d pixels, more than the limit of %d; raise it with --max-pixels if this is "
                  .formatted(width, height, maxPixels)
              + "meant");
    }
  }

  /**
   * Refuses a picture of {@code pixels} whose {@code bytes} of data cannot possibly hold it, before
   * memory for it is allocated.
   *
   * @param perByte the most pixels that a byte of this format can stand for
   */
  static void checkDensity(long pixels, long bytes, long perByte) throws ImageException {
    if (pixels > 1 << 16 && bytes < pixels / perByte) {
      throw new ImageException(
          "is truncated: %d bytes of data cannot hold its %d pixels".formatted(bytes, pixels));
    }
  }
}
