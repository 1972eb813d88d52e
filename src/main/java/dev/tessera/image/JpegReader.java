package dev.tessera.image;

/**
 * JPEG, baseline and progressive, as libjpeg-turbo and so Pillow decode it, damaged files included.
 *
 * <p>Decoded here and not by ImageIO, whose libjpeg 6b differs from libjpeg-turbo where only rows
 * are subsampled and where data is damaged, reports damage in English sentences, and cannot tell
 * harmless stray bytes from a ruined picture.
 */
final class JpegReader {
  private JpegReader() {}

  static RgbImage read(byte[] data, Limits limits) throws ImageException {
    JpegDecoder decoder = new JpegDecoder(limits);
    decoder.decode(data);
    RgbImage image = new RgbImage(decoder.width(), decoder.height(), decoder.toRgb());
    return decoder.orientation().apply(image);
  }
}
