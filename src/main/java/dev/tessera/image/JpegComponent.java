package dev.tessera.image;

import org.jspecify.annotations.Nullable;

/** One colour component of a JPEG frame: its geometry, coefficients and samples. */
final class JpegComponent {
  final int id;
  final int horizontal; // sampling factors
  final int vertical;
  final int quantizer;

  /** Size in samples, and in blocks that hold any. */
  int width;

  int height;
  int blocksWide;
  int blocksHigh;

  /** Size in blocks rounded up to whole interleaved units, which is what is stored. */
  int storedWide;

  int storedHigh;

  /** Quantizer steps in natural order, as they were when the component's first scan began. */
  int @Nullable [] steps;

  /**
   * {@code [storedHigh, storedWide, 64]} in natural order; empty where one scan holds everything.
   */
  short[] coefficients = {};

  /** {@code [8 storedHigh, 8 storedWide]} samples minus 128. */
  byte[] samples = {};

  int prediction;

  JpegComponent(int id, int horizontal, int vertical, int quantizer) {
    this.id = id;
    this.horizontal = horizontal;
    this.vertical = vertical;
    this.quantizer = quantizer;
  }

  int stride() {
    return 8 * storedWide;
  }
}
