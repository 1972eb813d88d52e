package dev.tessera.image;

import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.io.IOException;
import javax.imageio.ImageReader;

/**
 * The first page of a TIFF file: the JDK unpacks its samples, what they mean is decided here as in
 * Pillow's {@code TiffImagePlugin}.
 */
final class TiffReader {
  private static final int WHITE_IS_ZERO = 0;
  private static final int PALETTE = 3;
  private static final int CMYK = 5;
  private static final int JPEG = 7;

  private final TiffDirectory directory;
  private final int width;
  private final int height;
  private final byte[] rgb;

  private TiffReader(TiffDirectory directory, int width, int height) {
    this.directory = directory;
    this.width = width;
    this.height = height;
    this.rgb = new byte[3 * width * height];
  }

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    TiffDirectory directory = TiffDirectory.parse(data);
    long width = directory.get(TiffDirectory.WIDTH, 0);
    long height = directory.get(TiffDirectory.HEIGHT, 0);
    limits.check(width, height);
    Raster raster = decode(data);
    if (raster.getWidth() != width || raster.getHeight() != height) {
      throw new ImageException("has an inconsistent TIFF header");
    }
    TiffReader reader = new TiffReader(directory, (int) width, (int) height);
    reader.convert(raster);
    return Orientation.of((int) directory.get(TiffDirectory.ORIENTATION, 1))
        .apply(new RgbImage(reader.width, reader.height, reader.rgb));
  }

  private static Raster decode(byte[] data) throws IOException {
    ImageReader reader = JdkReaders.create("tiff");
    try {
      reader.setInput(new BytesInput(data), true, true);
      return reader.read(0).getRaster();
    } finally {
      reader.dispose();
    }
  }

  private void convert(Raster raster) throws ImageException {
    int photometric = (int) directory.get(TiffDirectory.PHOTOMETRIC, 0);
    int bits = (int) directory.get(TiffDirectory.BITS, 1);
    int bands = raster.getNumBands();
    boolean real =
        raster.getTransferType() == DataBuffer.TYPE_FLOAT
            || raster.getTransferType() == DataBuffer.TYPE_DOUBLE;
    int needed = photometric == CMYK ? 4 : photometric == 2 || photometric == 6 ? 3 : 1;
    if (bands < needed) {
      throw new ImageException("has an inconsistent TIFF header");
    }
    boolean premultiplied = needed == 3 && bands == 4
        && directory.get(TiffDirectory.EXTRA_SAMPLES, 0) == 1;
    byte[] palette = photometric == PALETTE ? palette() : PillowPixels.grayPalette();
    int[] row = new int[width * bands];
    float[] floats = new float[real ? width * bands : 0];
    byte[] ink = new byte[4];
    for (int y = 0; y < height; y++) {
      if (real) {
        raster.getPixels(0, y, width, 1, floats);
      } else {
        raster.getPixels(0, y, width, 1, row);
      }
      for (int x = 0; x < width; x++) {
        int from = x * bands;
        int to = 3 * (y * width + x);
        if (needed == 1) {
          int value = real ? (int) Math.clamp(floats[from], 0f, 255f) : row[from];
          gray(to, value, photometric, bits, palette);
        } else {
          for (int c = 0; c < needed; c++) {
            ink[c] = (byte) (bits == 16 ? row[from + c] >> 8 : row[from + c]);
          }
          if (photometric == CMYK) {
            PillowPixels.cmykToRgb(ink, 0, rgb, to);
          } else {
            int alpha = premultiplied ? row[from + 3] >> (bits == 16 ? 8 : 0) : 255;
            for (int c = 0; c < 3; c++) {
              int v = ink[c] & 0xff;
              rgb[to + c] = (byte) (alpha == 255 || alpha == 0 ? v : Math.min(255, v * 255 / alpha));
            }
          }
        }
      }
    }
  }

  private void gray(int to, int value, int photometric, int bits, byte[] palette) {
    if (photometric == PALETTE) {
      System.arraycopy(palette, 3 * (value & 0xff), rgb, to, 3);
      return;
    }
    int gray = bits < 8 ? value * 255 / ((1 << bits) - 1) : Math.clamp(value, 0, 255);
    if (photometric == WHITE_IS_ZERO && bits <= 8) {
      gray = 255 - gray;
    }
    rgb[to] = (byte) gray;
    rgb[to + 1] = (byte) gray;
    rgb[to + 2] = (byte) gray;
  }

  /** The high bytes of the colour map, which holds all reds, then all greens, then all blues. */
  private byte[] palette() {
    byte[] palette = PillowPixels.grayPalette();
    long[] map = directory.values(TiffDirectory.COLOR_MAP);
    int size = map.length / 3;
    for (int i = 0; i < Math.min(size, 256); i++) {
      for (int c = 0; c < 3; c++) {
        palette[3 * i + c] = (byte) (map[c * size + i] >> 8);
      }
    }
    return palette;
  }
}
