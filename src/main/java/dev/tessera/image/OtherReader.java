package dev.tessera.image;

import java.io.IOException;

final class OtherReader {
  private OtherReader() {}

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    throw new ImageException(
        "is not an image in a known format (JPEG, PNG, GIF, BMP, TIFF, WebP)");
  }
}
