package dev.tessera.image;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageReader;

/** WebP by TwelveMonkeys: lossy, lossless, with alpha, the first frame of an animation. */
final class WebpReader {
  private WebpReader() {}

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    Bytes bytes = new Bytes(data, false);
    byte[] exif = null;
    byte[] xmp = null;
    long end = Math.min(data.length, 8 + bytes.u32(4));
    long at = 12;
    while (at + 8 <= end) {
      long size = bytes.u32(at + 4);
      long content = at + 8;
      if (content + size > data.length) {
        throw new ImageException("is truncated: its WebP data ends early");
      }
      if (bytes.startsWith("EXIF", at)) {
        exif = Arrays.copyOfRange(data, (int) content, (int) (content + size));
      } else if (bytes.startsWith("XMP ", at)) {
        xmp = Arrays.copyOfRange(data, (int) content, (int) (content + size));
      }
      at = content + size + (size & 1);
    }
    ImageReader reader = new WebPImageReaderSpi().createReaderInstance();
    try {
      reader.setInput(new BytesInput(data), true, true);
      int width = reader.getWidth(0);
      int height = reader.getHeight(0);
      limits.check(width, height);
      Raster raster = reader.read(0).getRaster();
      byte[] rgb = new byte[3 * width * height];
      int[] row = new int[width * raster.getNumBands()];
      int bands = raster.getNumBands();
      for (int y = 0; y < height; y++) {
        raster.getPixels(0, y, width, 1, row);
        for (int x = 0; x < width; x++) {
          for (int c = 0; c < 3; c++) {
            rgb[3 * (y * width + x) + c] = (byte) row[x * bands + c];
          }
        }
      }
      return Exif.orientation(exif, xmp).apply(new RgbImage(width, height, rgb));
    } finally {
      reader.dispose();
    }
  }
}
