package dev.tessera.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import org.apache.commons.imaging.bytesource.ByteSource;
import org.apache.commons.imaging.formats.pcx.PcxImageParser;
import org.apache.commons.imaging.formats.pcx.PcxImagingParameters;
import org.apache.commons.imaging.formats.psd.PsdImageParser;
import org.apache.commons.imaging.formats.psd.PsdImagingParameters;

/** PCX and Photoshop files, by Commons Imaging. */
final class RareReader {
  private RareReader() {}

  static RgbImage readPcx(byte[] data, Limits limits) throws IOException {
    Bytes bytes = new Bytes(data, false);
    int width = bytes.u16(8) - bytes.u16(4) + 1;
    int height = bytes.u16(10) - bytes.u16(6) + 1;
    limits.check(width, height);
    // A run is two bytes for at most 63 bytes of 8 pixels each.
    Limits.checkDensity((long) width * height, data.length, 63 * 8 / 2);
    return convert(
        new PcxImageParser().getBufferedImage(ByteSource.array(data), new PcxImagingParameters()),
        limits);
  }

  static RgbImage readPsd(byte[] data, Limits limits) throws IOException {
    Bytes bytes = new Bytes(data, true);
    int channels = bytes.u16(12);
    long height = bytes.u32(14);
    long width = bytes.u32(18);
    limits.check(width, height);
    if (channels > 56 || bytes.u16(22) != 8) {
      throw new ImageException(
          "is a Photoshop file with %d channels of %d bits, which is not supported"
              .formatted(channels, bytes.u16(22)));
    }
    Limits.checkDensity(width * height, data.length, 64);
    return convert(
        new PsdImageParser().getBufferedImage(ByteSource.array(data), new PsdImagingParameters()),
        limits);
  }

  /** Commons Imaging builds plain ARGB pictures, whose colours need no conversion. */
  private static RgbImage convert(BufferedImage image, Limits limits) throws ImageException {
    int width = image.getWidth();
    int height = image.getHeight();
    limits.check(width, height);
    int[] row = new int[width];
    byte[] rgb = new byte[3 * width * height];
    int to = 0;
    for (int y = 0; y < height; y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int pixel : row) {
        rgb[to++] = (byte) (pixel >> 16);
        rgb[to++] = (byte) (pixel >> 8);
        rgb[to++] = (byte) pixel;
      }
    }
    return new RgbImage(width, height, rgb);
  }
}
