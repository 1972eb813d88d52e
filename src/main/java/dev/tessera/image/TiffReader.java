package dev.tessera.image;

import java.awt.image.Raster;
import java.io.IOException;
import javax.imageio.ImageReader;

/**
 * The first page of a TIFF file, with Pillow's reading of what the samples mean.
 *
 * <p>Strips and tiles are unpacked here, because ImageIO converts samples on the way and knows
 * neither 16-bit nor floating-point predictors nor BigTIFF; fax compression is left to the JDK and
 * embedded JPEG to {@link JpegReader}.
 */
final class TiffReader {
  private final byte[] data;
  private final TiffDirectory directory;
  private final Limits limits;
  private final TiffLayout layout;
  private final int width;
  private final int height;

  /** {@code [height, width, channels]} samples brought to 8 bits. */
  private final byte[] samples;

  private TiffReader(byte[] data, TiffDirectory directory, TiffLayout layout, Limits limits) {
    this.limits = limits;
    this.data = data;
    this.directory = directory;
    this.layout = layout;
    this.width = layout.width();
    this.height = layout.height();
    this.samples = new byte[width * height * layout.channels()];
  }

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    TiffDirectory directory = TiffDirectory.parse(data);
    TiffLayout layout = TiffLayout.of(directory, limits);
    layout.checkDensity(directory, data.length);
    TiffReader reader = new TiffReader(data, directory, layout, limits);
    if (layout.fax()) {
      reader.readFax();
    } else {
      reader.readChunks();
    }
    RgbImage image = new RgbImage(layout.width(), layout.height(), reader.toRgb());
    return Orientation.of((int) Math.min(9, directory.get(TiffDirectory.ORIENTATION, 1)))
        .apply(image);
  }

  private void readFax() throws IOException {
    ImageReader reader = JdkReaders.create("tiff");
    try {
      reader.setInput(new BytesInput(data), true, true);
      Raster raster = reader.read(0).getRaster();
      if (raster.getWidth() != width || raster.getHeight() != height) {
        throw new ImageException("has an inconsistent TIFF header");
      }
      // The JDK has made 0 black whatever the photometric interpretation.
      int[] row = new int[width];
      for (int y = 0; y < height; y++) {
        raster.getSamples(0, y, width, 1, 0, row);
        for (int x = 0; x < width; x++) {
          samples[y * width + x] = (byte) -row[x];
        }
      }
    } finally {
      reader.dispose();
    }
  }

  private void readChunks() throws IOException {
    long[] offsets =
        directory.values(layout.tiled() ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS);
    long[] counts =
        directory.values(layout.tiled() ? TiffDirectory.TILE_BYTES : TiffDirectory.STRIP_BYTES);
    int across = (width + layout.chunkWidth() - 1) / layout.chunkWidth();
    int down = (height + layout.chunkHeight() - 1) / layout.chunkHeight();
    int planes = layout.planar() ? layout.channels() : 1;
    if ((long) across * down * planes > offsets.length) {
      throw new ImageException("is truncated: some of its TIFF strips or tiles are missing");
    }
    for (int plane = 0; plane < planes; plane++) {
      for (int row = 0; row < down; row++) {
        for (int column = 0; column < across; column++) {
          int index = (plane * down + row) * across + column;
          long count = index < counts.length ? counts[index] : data.length;
          readChunk(offsets[index], count, plane, row, column);
        }
      }
    }
  }

  private void readChunk(long offset, long count, int plane, int row, int column)
      throws IOException {
    int left = column * layout.chunkWidth();
    int top = row * layout.chunkHeight();
    int columns = Math.min(layout.chunkWidth(), width - left);
    int rows = Math.min(layout.chunkHeight(), height - top);
    if (offset < 0 || offset > data.length) {
      throw new ImageException("is truncated: its TIFF data ends early");
    }
    int storedRows = layout.tiled() ? layout.chunkHeight() : rows;
    int from = (int) offset;
    int available = (int) Math.min(count, data.length - offset);
    if (layout.compression() == TiffCompression.NONE) {
      available = (int) (data.length - offset); // byte counts are often wrong here, and not needed
    }
    byte[] source = data;
    if (layout.reversedBits()) {
      source = reverse(from, available);
      from = 0;
    }
    TiffChunk chunk =
        layout.compression() == TiffCompression.JPEG
            ? TiffChunk.jpeg(source, from, available, directory, layout, storedRows, limits)
            : TiffChunk.unpack(source, from, available, layout, storedRows);
    int channels = layout.channels();
    int first = layout.planar() ? plane : 0;
    int last = layout.planar() ? plane + 1 : channels;
    for (int y = 0; y < rows; y++) {
      for (int c = first; c < last; c++) {
        int to = ((top + y) * width + left) * channels + c;
        chunk.copyRow(y, layout.planar() ? 0 : c, columns, samples, to, channels);
      }
    }
  }

  private byte[] reverse(int from, int count) {
    byte[] reversed = new byte[count];
    for (int i = 0; i < count; i++) {
      reversed[i] = (byte) (Integer.reverse(data[from + i]) >>> 24);
    }
    return reversed;
  }

  private byte[] toRgb() throws ImageException {
    return switch (layout.photometric()) {
      case TiffLayout.PALETTE -> PillowPixels.expand(samples, palette());
      case TiffLayout.RGB -> layout.channels() == 4 ? divideByAlpha() : samples;
      case TiffLayout.CMYK -> {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
          PillowPixels.cmykToRgb(samples, 4 * i, rgb, 3 * i);
        }
        yield rgb;
      }
      case TiffLayout.YCBCR ->
          layout.compression() == TiffCompression.JPEG
              ? JpegColor.yccToRgb(samples)
              : TiffChunk.yccToRgb(samples);
      default -> JpegColor.grayToRgb(samples);
    };
  }

  /** Associated alpha: colours are stored multiplied by it, and Pillow divides. */
  private byte[] divideByAlpha() {
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      int alpha = samples[4 * i + 3] & 0xff;
      for (int c = 0; c < 3; c++) {
        int value = samples[4 * i + c] & 0xff;
        if (alpha != 0 && alpha != 255) {
          value = Math.min(255, value * 255 / alpha);
        }
        rgb[3 * i + c] = (byte) value;
      }
    }
    return rgb;
  }

  /** The high bytes of the colour map, which holds all reds, then all greens, then all blues. */
  private byte[] palette() throws ImageException {
    byte[] palette = new byte[768];
    long[] map = directory.values(TiffDirectory.COLOR_MAP);
    int size = map.length / 3;
    if (size == 0) {
      throw new ImageException("is damaged: it is a TIFF file with a palette, but has none");
    }
    for (int i = 0; i < Math.min(size, 256); i++) {
      for (int c = 0; c < 3; c++) {
        palette[3 * i + c] = (byte) (map[c * size + i] >> 8);
      }
    }
    return palette;
  }
}
