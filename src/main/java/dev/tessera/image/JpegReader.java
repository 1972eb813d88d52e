package dev.tessera.image;

import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageReader;

/**
 * JPEG by the JDK's libjpeg, which upsamples and transforms as Pillow's does, with the colour
 * conversion made here because the JDK's goes through colour profiles and misreads CMYK.
 *
 * <p>libjpeg is shown only the segments that carry the picture, so that profiles, thumbnails and
 * comments can neither cost time nor do harm.
 */
final class JpegReader {
  /** At least one bit for a block of 64 samples, and no colour image has fewer samples than pixels. */
  private static final long MAX_PIXELS_PER_BYTE = 8 * 64 * 2;

  private JpegReader() {}

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    JpegHeader header = JpegHeader.parse(data);
    limits.check(header.width(), header.height());
    Limits.checkDensity(
        (long) header.width() * header.height(), data.length, MAX_PIXELS_PER_BYTE);
    byte[] samples = samples(header);
    int pixels = header.width() * header.height();
    byte[] rgb =
        switch (header.components()) {
          case 1 -> JpegColor.grayToRgb(samples);
          case 3 -> header.luminanceChrominance() ? JpegColor.yccToRgb(samples) : samples;
          case 2 ->
              throw new ImageException("is a JPEG file with 2 components, which is not supported");
          default -> JpegColor.cmykToRgb(samples, pixels, header.luminanceChrominance());
        };
    return header.orientation().apply(new RgbImage(header.width(), header.height(), rgb));
  }

  /** Interleaved samples as stored, upsampled to full size. */
  static byte[] samples(JpegHeader header) throws IOException {
    ImageReader reader = JdkReaders.create("jpeg");
    try {
      List<String> warnings = new ArrayList<>();
      reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
      reader.setInput(new BytesInput(header.pictureOnly()), true, true);
      Raster raster = reader.readRaster(0, null);
      for (String warning : warnings) {
        if (warning.contains("Truncated") || warning.contains("Premature end")) {
          throw new ImageException("is truncated: its JPEG data ends early");
        }
      }
      if (raster.getWidth() != header.width()
          || raster.getHeight() != header.height()
          || raster.getNumBands() != header.components()
          || !(raster.getDataBuffer() instanceof DataBufferByte buffer)) {
        throw new ImageException("has an inconsistent JPEG header");
      }
      return buffer.getData();
    } finally {
      reader.dispose();
    }
  }
}
