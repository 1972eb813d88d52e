package dev.tessera.image;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;

/**
 * WebP: the container and, of an animation, the first frame on its canvas; lossless pictures by
 * TwelveMonkeys, lossy ones by {@link Vp8Decoder}. Alpha is dropped.
 */
final class WebpReader {
  private final byte[] data;
  private final Bytes bytes;
  private final Limits limits;

  private WebpReader(byte[] data, Limits limits) {
    this.data = data;
    this.bytes = new Bytes(data, false);
    this.limits = limits;
  }

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    return new WebpReader(data, limits).read();
  }

  private RgbImage read() throws IOException {
    byte[] exif = null;
    byte[] xmp = null;
    RgbImage image = null;
    int canvasWidth = 0;
    int canvasHeight = 0;
    long end = 8 + bytes.u32(4);
    if (end > data.length) {
      throw truncated();
    }
    long at = 12;
    while (at + 8 <= end) {
      long size = bytes.u32(at + 4);
      long content = at + 8;
      if (content + size > data.length) {
        throw truncated();
      }
      if (bytes.startsWith("EXIF", at) && exif == null) {
        exif = Arrays.copyOfRange(data, (int) content, (int) (content + size));
      } else if (bytes.startsWith("XMP ", at) && xmp == null) {
        xmp = Arrays.copyOfRange(data, (int) content, (int) (content + size));
      } else if (bytes.startsWith("VP8X", at)) {
        canvasWidth = 1 + u24(content + 4);
        canvasHeight = 1 + u24(content + 7);
        limits.check(canvasWidth, canvasHeight);
      } else if (image == null) {
        if (bytes.startsWith("ANMF", at)) {
          image = frame(content, content + size, canvasWidth, canvasHeight);
        } else {
          image = bitstream(at, content, size);
        }
      }
      at = content + size + (size & 1);
    }
    if (image == null) {
      throw new ImageException("is a WebP file without a picture");
    }
    if (canvasWidth > 0 && (image.width() != canvasWidth || image.height() != canvasHeight)) {
      throw new ImageException("is damaged: its WebP picture does not have the size it states");
    }
    return Exif.orientation(exif, xmp).apply(image);
  }

  private static ImageException truncated() {
    return new ImageException("is truncated: its WebP data ends early");
  }

  private int u24(long at) throws ImageException {
    return bytes.u16(at) | bytes.u8(at + 2) << 16;
  }

  /** The picture of one chunk, or null if the chunk is of another kind. */
  private @Nullable RgbImage bitstream(long at, long content, long size) throws IOException {
    if (bytes.startsWith("VP8 ", at)) {
      return Vp8Decoder.decode(data, (int) content, (int) (content + size), limits);
    } else if (bytes.startsWith("VP8L", at)) {
      return lossless(Arrays.copyOfRange(data, (int) at, (int) (content + size)));
    }
    return null;
  }

  /** The first frame of an animation, on black where it does not cover the canvas. */
  private RgbImage frame(long from, long to, int canvasWidth, int canvasHeight) throws IOException {
    int left = 2 * u24(from);
    int top = 2 * u24(from + 3);
    RgbImage frame = null;
    long at = from + 16;
    while (frame == null && at + 8 <= to) {
      long size = bytes.u32(at + 4);
      if (at + 8 + size > to) {
        throw truncated();
      }
      frame = bitstream(at, at + 8, size);
      at += 8 + size + (size & 1);
    }
    if (frame == null
        || frame.width() != 1 + u24(from + 6)
        || frame.height() != 1 + u24(from + 9)
        || left + (long) frame.width() > canvasWidth
        || top + (long) frame.height() > canvasHeight) {
      throw new ImageException("is damaged: its first WebP frame is not on the canvas");
    }
    if (frame.width() == canvasWidth && frame.height() == canvasHeight) {
      return frame;
    }
    byte[] rgb = new byte[3 * canvasWidth * canvasHeight];
    for (int y = 0; y < frame.height(); y++) {
      int target = 3 * ((top + y) * canvasWidth + left);
      System.arraycopy(frame.pixels(), 3 * frame.width() * y, rgb, target, 3 * frame.width());
    }
    return new RgbImage(canvasWidth, canvasHeight, rgb);
  }

  /**
   * @param chunk a VP8L chunk with its header
   */
  private RgbImage lossless(byte[] chunk) throws IOException {
    Bytes header = new Bytes(chunk, false);
    if (header.u8(8) != 0x2f) {
      throw new ImageException("is damaged: its lossless WebP data has no signature");
    }
    long fields = header.u32(9);
    int width = 1 + (int) (fields & 0x3fff);
    int height = 1 + (int) (fields >> 14 & 0x3fff);
    limits.check(width, height);
    // The chunk in a file of its own keeps everything around it away from the library.
    byte[] file = new byte[12 + chunk.length + (chunk.length & 1)];
    System.arraycopy(chunk, 0, file, 12, chunk.length);
    byte[] tags = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'};
    for (int i = 0; i < 4; i++) {
      tags[4 + i] = (byte) ((file.length - 8) >> 8 * i);
    }
    System.arraycopy(tags, 0, file, 0, 12);
    ImageReader reader = new WebPImageReaderSpi().createReaderInstance();
    try {
      reader.setInput(new BytesInput(file), true, true);
      Raster raster = reader.read(0).getRaster();
      int bands = raster.getNumBands();
      if (raster.getWidth() != width || raster.getHeight() != height || bands < 3) {
        throw new ImageException("has an inconsistent WebP header");
      }
      byte[] rgb = new byte[3 * width * height];
      int[] row = new int[width * bands];
      for (int y = 0; y < height; y++) {
        raster.getPixels(0, y, width, 1, row);
        int to = 3 * width * y;
        for (int from = 0; from < row.length; from += bands) {
          rgb[to++] = (byte) row[from];
          rgb[to++] = (byte) row[from + 1];
          rgb[to++] = (byte) row[from + 2];
        }
      }
      return new RgbImage(width, height, rgb);
    } finally {
      reader.dispose();
    }
  }
}
