package dev.tessera.report;

import dev.tessera.image.Resample;
import dev.tessera.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Small pictures for pages. */
public final class Thumbnails {
  /** Below this many pixels a PNG is as small as a JPEG, and exact. */
  private static final int TINY = 64 * 64;

  private static final float QUALITY = 0.85f;

  private Thumbnails() {}

  /**
   * {@code image} with its longer side at most {@code side} pixels, never enlarged: as PNG where it
   * is tiny, otherwise as JPEG.
   */
  public static Picture of(RgbImage image, int side) {
    RgbImage small = shrunk(image, side);
    BufferedImage picture = buffered(small);
    boolean tiny = small.width() * small.height() <= TINY;
    return new Picture(
        tiny ? "image/png" : "image/jpeg",
        tiny ? Charts.encode(picture) : jpeg(picture),
        small.width(),
        small.height());
  }

  /** {@code image} with its longer side at most {@code side} pixels. */
  static RgbImage shrunk(RgbImage image, int side) {
    int longer = Math.max(image.width(), image.height());
    if (longer <= side) {
      return image;
    }
    int width = Math.max(1, Math.round((float) image.width() * side / longer));
    int height = Math.max(1, Math.round((float) image.height() * side / longer));
    return Resample.resize(image, width, height, Resample.Filter.BICUBIC);
  }

  static BufferedImage buffered(RgbImage image) {
    BufferedImage picture =
        new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
    byte[] pixels = image.pixels();
    int[] row = new int[image.width()];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < row.length; x++) {
        int at = 3 * (y * row.length + x);
        row[x] = (pixels[at] & 0xff) << 16 | (pixels[at + 1] & 0xff) << 8 | pixels[at + 2] & 0xff;
      }
      picture.setRGB(0, y, row.length, 1, row, 0, row.length);
    }
    return picture;
  }

  private static byte[] jpeg(BufferedImage picture) {
    Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName("jpeg");
    ImageWriter writer = writers.next();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageWriteParam parameters = writer.getDefaultWriteParam();
      parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      parameters.setCompressionQuality(QUALITY);
      writer.setOutput(out);
      writer.write(null, new IIOImage(picture, null, null), parameters);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory cannot fail", e);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }
}
