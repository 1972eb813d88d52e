package dev.tessera.image;

/** The eight ways in which a camera may have been held: EXIF tag 274, TIFF 6.0 page 36. */
enum Orientation {
  UPRIGHT,
  FLIP_LEFT_RIGHT,
  ROTATE_180,
  FLIP_TOP_BOTTOM,
  TRANSPOSE,
  ROTATE_270,
  TRANSVERSE,
  ROTATE_90;

  /** The orientation of an EXIF value; anything outside 1 to 8 counts as upright. */
  static Orientation of(int exif) {
    return exif >= 1 && exif <= 8 ? values()[exif - 1] : UPRIGHT;
  }

  /**
   * Turns a picture stored this way upright. Rotations are counter-clockwise, as Pillow's names.
   */
  RgbImage apply(RgbImage image) {
    if (this == UPRIGHT) {
      return image;
    }
    int width = image.width();
    int height = image.height();
    byte[] from = image.pixels();
    byte[] to = new byte[from.length];
    // Where source pixel (0, 0) goes, and how far the target moves per source column and row.
    boolean swapped = ordinal() >= 4;
    int stride = swapped ? height : width;
    int start =
        switch (this) {
          case UPRIGHT, TRANSPOSE -> 0;
          case FLIP_LEFT_RIGHT -> width - 1;
          case ROTATE_180, TRANSVERSE -> width * height - 1;
          case FLIP_TOP_BOTTOM -> (height - 1) * width;
          case ROTATE_270 -> height - 1;
          case ROTATE_90 -> (width - 1) * height;
        };
    int perColumn =
        switch (this) {
          case UPRIGHT, FLIP_TOP_BOTTOM -> 1;
          case FLIP_LEFT_RIGHT, ROTATE_180 -> -1;
          case TRANSPOSE, ROTATE_270 -> stride;
          case TRANSVERSE, ROTATE_90 -> -stride;
        };
    int perRow =
        switch (this) {
          case UPRIGHT, FLIP_LEFT_RIGHT -> stride;
          case ROTATE_180, FLIP_TOP_BOTTOM -> -stride;
          case TRANSPOSE, ROTATE_90 -> 1;
          case TRANSVERSE, ROTATE_270 -> -1;
        };
    int source = 0;
    for (int y = 0; y < height; y++) {
      int target = 3 * (start + y * perRow);
      for (int x = 0; x < width; x++) {
        to[target] = from[source];
        to[target + 1] = from[source + 1];
        to[target + 2] = from[source + 2];
        source += 3;
        target += 3 * perColumn;
      }
    }
    return swapped ? new RgbImage(height, width, to) : new RgbImage(width, height, to);
  }
}
