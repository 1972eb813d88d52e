package dev.tessera.image;

import java.awt.Dimension;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import org.apache.commons.imaging.AbstractImageParser;
import org.apache.commons.imaging.ImagingParameters;
import org.apache.commons.imaging.bytesource.ByteSource;
import org.apache.commons.imaging.formats.icns.IcnsImageParser;
import org.apache.commons.imaging.formats.icns.IcnsImagingParameters;
import org.apache.commons.imaging.formats.pcx.PcxImageParser;
import org.apache.commons.imaging.formats.pcx.PcxImagingParameters;
import org.apache.commons.imaging.formats.psd.PsdImageParser;
import org.apache.commons.imaging.formats.psd.PsdImagingParameters;
import org.apache.commons.imaging.formats.rgbe.RgbeImageParser;
import org.apache.commons.imaging.formats.rgbe.RgbeImagingParameters;
import org.apache.commons.imaging.formats.wbmp.WbmpImageParser;
import org.apache.commons.imaging.formats.wbmp.WbmpImagingParameters;
import org.apache.commons.imaging.formats.xbm.XbmImageParser;
import org.apache.commons.imaging.formats.xbm.XbmImagingParameters;
import org.apache.commons.imaging.formats.xpm.XpmImageParser;
import org.apache.commons.imaging.formats.xpm.XpmImagingParameters;

/** What Commons Imaging reads: files that few people have, and nobody in large folders. */
final class RareReader {
  /** The most pixels that a byte can stand for. */
  private static final int PCX_DENSITY = 63 * 8 / 2; // a run is two bytes: 63 bytes of 8 pixels

  private static final int PSD_DENSITY = 64;
  private static final int XBM_DENSITY = 4; // 0x0, is 16 pixels
  private static final int XPM_DENSITY = 1;
  private static final int WBMP_DENSITY = 8;
  private static final int RGBE_DENSITY = 16; // 127 pixels are two bytes in each of four channels

  private RareReader() {}

  static RgbImage readPcx(byte[] data, Limits limits) throws IOException {
    Bytes bytes = new Bytes(data, false);
    int width = bytes.u16(8) - bytes.u16(4) + 1;
    int height = bytes.u16(10) - bytes.u16(6) + 1;
    limits.check(width, height);
    Limits.checkDensity((long) width * height, data.length, PCX_DENSITY);
    return convert(
        new PcxImageParser().getBufferedImage(ByteSource.array(data), new PcxImagingParameters()),
        limits);
  }

  /** The first of several PCX files in one. */
  static RgbImage readDcx(byte[] data, Limits limits) throws IOException {
    Bytes bytes = new Bytes(data, false);
    long from = bytes.u32(4);
    long to = bytes.u32(8);
    if (from < 12 || from >= data.length || (to != 0 && to <= from)) {
      throw new ImageException("is truncated: its first page is not where it says");
    }
    int end = to == 0 ? data.length : (int) Math.min(to, data.length);
    return readPcx(Arrays.copyOfRange(data, (int) from, end), limits);
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
    Limits.checkDensity(width * height, data.length, PSD_DENSITY);
    return convert(
        new PsdImageParser().getBufferedImage(ByteSource.array(data), new PsdImagingParameters()),
        limits);
  }

  /** Bits that are set are white, as Pillow has it; X draws them in the foreground's colour. */
  static RgbImage readXbm(byte[] data, Limits limits) throws IOException {
    RgbImage image =
        read(new XbmImageParser(), new XbmImagingParameters(), data, XBM_DENSITY, limits);
    byte[] pixels = image.pixels();
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) ~pixels[i];
    }
    return image;
  }

  static RgbImage readXpm(byte[] data, Limits limits) throws IOException {
    return read(new XpmImageParser(), new XpmImagingParameters(), data, XPM_DENSITY, limits);
  }

  static RgbImage readWbmp(byte[] data, Limits limits) throws IOException {
    return read(new WbmpImageParser(), new WbmpImagingParameters(), data, WBMP_DENSITY, limits);
  }

  /** An Apple icon of at most 256 colours; these are small whatever the file says. */
  static RgbImage readOldIcns(byte[] data, Limits limits) throws IOException {
    return convert(
        new IcnsImageParser().getBufferedImage(ByteSource.array(data), new IcnsImagingParameters()),
        limits);
  }

  /** Radiance: amounts of light, of which 1 is white, become sRGB. */
  static RgbImage readRgbe(byte[] data, Limits limits) throws IOException {
    BufferedImage image =
        image(new RgbeImageParser(), new RgbeImagingParameters(), data, RGBE_DENSITY, limits);
    int width = image.getWidth();
    int height = image.getHeight();
    Raster raster = image.getRaster();
    float[] row = new float[3 * width];
    byte[] rgb = new byte[3 * width * height];
    int to = 0;
    for (int y = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      for (float light : row) {
        rgb[to++] = (byte) Math.round(255 * srgb(Math.min(light, 1)));
      }
    }
    return new RgbImage(width, height, rgb);
  }

  /** IEC 61966-2-1. */
  private static double srgb(double light) {
    return light <= 0.0031308 ? 12.92 * light : 1.055 * Math.pow(light, 1 / 2.4) - 0.055;
  }

  private static <P extends ImagingParameters<P>> RgbImage read(
      AbstractImageParser<P> parser, P parameters, byte[] data, int perByte, Limits limits)
      throws IOException {
    return convert(image(parser, parameters, data, perByte, limits), limits);
  }

  /** The picture, once its size is known to be one that the limits and the data allow. */
  private static <P extends ImagingParameters<P>> BufferedImage image(
      AbstractImageParser<P> parser, P parameters, byte[] data, int perByte, Limits limits)
      throws IOException {
    ByteSource source = ByteSource.array(data);
    Dimension size = parser.getImageSize(source, parameters);
    limits.check(size.width, size.height);
    Limits.checkDensity((long) size.width * size.height, data.length, perByte);
    return parser.getBufferedImage(source, parameters);
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
