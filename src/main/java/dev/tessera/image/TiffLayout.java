package dev.tessera.image;

/**
 * How the pixels of a TIFF page are arranged, checked against what is supported.
 *
 * @param samples stored per pixel
 * @param channels of them that are used: 1, 3 or 4
 * @param bits per sample, the same for all
 * @param format of samples: 1 unsigned, 2 signed, 3 floating point
 * @param chunkWidth width of a tile, or of the page where there are strips
 * @param chunkHeight height of a tile or strip
 * @param planar whether each sample has strips or tiles of its own
 */
record TiffLayout(
    int width,
    int height,
    int compression,
    int photometric,
    int samples,
    int channels,
    int bits,
    int format,
    int predictor,
    int chunkWidth,
    int chunkHeight,
    boolean tiled,
    boolean planar,
    boolean reversedBits,
    boolean bigEndian,
    int subsamplingX,
    int subsamplingY) {
  static final int WHITE_IS_ZERO = 0;
  static final int BLACK_IS_ZERO = 1;
  static final int RGB = 2;
  static final int PALETTE = 3;
  static final int CMYK = 5;
  static final int YCBCR = 6;

  static TiffLayout of(TiffDirectory directory, Limits limits) throws ImageException {
    long width = directory.get(TiffDirectory.WIDTH, 0);
    long height = directory.get(TiffDirectory.HEIGHT, 0);
    limits.check(width, height);
    int compression = (int) directory.get(TiffDirectory.COMPRESSION, 1);
    int photometric = (int) directory.get(TiffDirectory.PHOTOMETRIC, 0);
    int samples = small(directory, TiffDirectory.SAMPLES, 1, 16);
    int bits = small(directory, TiffDirectory.BITS, 1, 64);
    for (long other : directory.values(TiffDirectory.BITS)) {
      if (other != bits) {
        throw unsupported("samples of different sizes");
      }
    }
    int format = small(directory, TiffDirectory.SAMPLE_FORMAT, 1, 3);
    boolean tiled = directory.has(TiffDirectory.TILE_OFFSETS);
    long chunkWidth = tiled ? directory.get(TiffDirectory.TILE_WIDTH, 0) : width;
    long chunkHeight =
        tiled
            ? directory.get(TiffDirectory.TILE_HEIGHT, 0)
            : Math.min(height, directory.get(TiffDirectory.ROWS_PER_STRIP, height));
    limits.check(chunkWidth, chunkHeight);
    int colors =
        switch (photometric) {
          case WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE -> 1;
          case RGB, YCBCR -> 3;
          case CMYK -> 4;
          default -> throw unsupported("photometric interpretation " + photometric);
        };
    if (samples < colors) {
      throw new ImageException("is damaged: its TIFF header has too few samples per pixel");
    }
    boolean premultiplied =
        photometric == RGB && samples > 3 && directory.get(TiffDirectory.EXTRA_SAMPLES, 0) == 1;
    int subsamplingX = 1;
    int subsamplingY = 1;
    if (photometric == YCBCR && compression != TiffCompression.JPEG) {
      long[] subsampling = directory.values(TiffDirectory.SUBSAMPLING, 2, 2);
      subsamplingX = subsampling.length == 2 ? (int) subsampling[0] : 0;
      subsamplingY = subsampling.length == 2 ? (int) subsampling[1] : 0;
      boolean valid = power(subsamplingX) && power(subsamplingY);
      if (!valid || bits != 8 || directory.get(TiffDirectory.PLANAR, 1) == 2) {
        throw unsupported("this arrangement of YCbCr samples");
      }
    }
    TiffLayout layout =
        new TiffLayout(
            (int) width,
            (int) height,
            compression,
            photometric,
            samples,
            colors + (premultiplied ? 1 : 0),
            bits,
            format,
            small(directory, TiffDirectory.PREDICTOR, 1, 3),
            (int) chunkWidth,
            (int) chunkHeight,
            tiled,
            directory.get(TiffDirectory.PLANAR, 1) == 2 && samples > 1,
            directory.get(TiffDirectory.FILL_ORDER, 1) == 2,
            directory.bigEndian(),
            subsamplingX,
            subsamplingY);
    layout.check();
    return layout;
  }

  private static boolean power(int n) {
    return n == 1 || n == 2 || n == 4;
  }

  private static int small(TiffDirectory directory, int tag, int absent, int most)
      throws ImageException {
    long value = directory.get(tag, absent);
    if (value < 1 || value > most) {
      throw unsupported("a value of %d for tag %d".formatted(value, tag));
    }
    return (int) value;
  }

  private static ImageException unsupported(String what) {
    return new ImageException(
        "is a TIFF file with %s, which is not supported; re-save it as PNG".formatted(what));
  }

  boolean fax() {
    return compression >= 2 && compression <= 4;
  }

  private void check() throws ImageException {
    if (fax()) {
      if (bits != 1 || samples != 1) {
        throw new ImageException("is damaged: it is a fax TIFF file with more than one bit");
      }
    } else if (compression == TiffCompression.JPEG) {
      if (bits != 8) {
        throw unsupported("%d-bit JPEG data".formatted(bits));
      }
    } else if (!TiffCompression.supports(compression)) {
      throw unsupported("compression " + compression);
    }
    boolean valid =
        switch (bits) {
          case 1, 2, 4 -> channels == 1 && samples == 1 && format == 1;
          case 8 -> format != 3;
          case 12 -> channels == 1 && samples == 1 && format == 1 && photometric != PALETTE;
          case 16 -> format != 3 && photometric != PALETTE;
          case 32, 64 -> channels == 1 && photometric != PALETTE && (bits == 32 || format == 3);
          default -> false;
        };
    if (!valid) {
      throw unsupported("%d-bit samples of this kind".formatted(bits));
    }
  }

  /** Bytes of one stored row of a chunk. */
  int rowBytes() {
    return Math.toIntExact(((long) chunkWidth * (planar ? 1 : samples) * bits + 7) / 8);
  }

  /**
   * Refuses files that are too small for the page they claim. That needs the sizes of the chunks
   * only roughly: together they cannot be larger than the file.
   */
  void checkDensity(TiffDirectory directory, long fileBytes) throws ImageException {
    long pixels = (long) width * height;
    if (fax()) {
      if (height > 8 * fileBytes) { // a row costs at least a bit
        throw new ImageException("is truncated: its TIFF data ends early");
      }
    } else {
      // The best is LZW with 1-bit samples.
      Limits.checkDensity(pixels, fileBytes, 2800L * 8);
      if (compression == TiffCompression.NONE) {
        long needed = pixels * samples * bits / 8 / (photometric == YCBCR ? 2 : 1);
        if (needed > fileBytes) {
          throw new ImageException("is truncated: its TIFF data ends early");
        }
      }
    }
    if (directory.count(tiled ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS) == 0) {
      throw new ImageException("is damaged: it is a TIFF file without image data");
    }
  }
}
