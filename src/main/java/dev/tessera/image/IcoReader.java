package dev.tessera.image;

import java.util.Arrays;

/** The largest picture of a Windows icon, which is a PNG file or a bitmap without file header. */
final class IcoReader {
  private static final int BITMAP_HEADER = 14;

  private IcoReader() {}

  static RgbImage read(byte[] data, Limits limits) throws ImageException {
    Bytes bytes = new Bytes(data, false);
    int count = bytes.u16(4);
    int best = -1;
    for (int i = 0; i < count; i++) {
      int entry = 6 + 16 * i;
      if (best < 0
          || area(bytes, entry) > area(bytes, best)
          || (area(bytes, entry) == area(bytes, best)
              && depth(bytes, entry) < depth(bytes, best))) {
        best = entry;
      }
    }
    if (best < 0) {
      throw new ImageException("is an icon file without a picture");
    }
    long offset = bytes.u32(best + 12);
    long size = bytes.u32(best + 8);
    if (offset + size > data.length || size < 40) {
      throw new ImageException("is truncated: its icon data ends early");
    }
    byte[] picture = Arrays.copyOfRange(data, (int) offset, (int) (offset + size));
    if (Format.of(picture) == Format.PNG) {
      return PngReader.read(picture, limits);
    }
    return BmpReader.read(withFileHeader(picture), limits);
  }

  private static int area(Bytes bytes, int entry) throws ImageException {
    int width = bytes.u8(entry);
    int height = bytes.u8(entry + 1);
    return (width == 0 ? 256 : width) * (height == 0 ? 256 : height);
  }

  /** As Pillow: from the header, from the number of colours, or 256 colours. */
  private static int depth(Bytes bytes, int entry) throws ImageException {
    int depth = bytes.u16(entry + 6);
    int colors = bytes.u8(entry + 2);
    if (depth != 0) {
      return depth;
    }
    return colors == 0 ? 256 : 32 - Integer.numberOfLeadingZeros(Math.max(colors - 1, 0));
  }

  /** The stated height counts the mask, which follows the picture. */
  private static byte[] withFileHeader(byte[] picture) throws ImageException {
    byte[] file = new byte[BITMAP_HEADER + picture.length];
    file[0] = 'B';
    file[1] = 'M';
    System.arraycopy(picture, 0, file, BITMAP_HEADER, picture.length);
    long height = new Bytes(picture, false).u32(8) / 2;
    for (int i = 0; i < 4; i++) {
      file[BITMAP_HEADER + 8 + i] = (byte) (height >> 8 * i);
    }
    return file;
  }
}
