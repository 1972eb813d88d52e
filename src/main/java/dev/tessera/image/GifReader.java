package dev.tessera.image;

import java.util.Arrays;

/** The first frame of a GIF file on its canvas, as Pillow composes it; GIF89a specification. */
final class GifReader {
  private GifReader() {}

  static RgbImage read(byte[] data, Limits limits) throws ImageException {
    Bytes bytes = new Bytes(data, false);
    int flags = bytes.u8(10);
    byte[] palette = PillowPixels.grayPalette();
    long at = 13;
    if ((flags & 0x80) != 0) {
      at = readPalette(bytes, at, flags, palette);
    }
    int transparent = -1;
    int block;
    while ((block = bytes.u8(at++)) != ',') {
      if (block == ';') {
        throw new ImageException("is a GIF file without a picture");
      }
      if (block == '!') {
        if (bytes.u8(at) == 0xf9 && bytes.u8(at + 1) >= 4 && (bytes.u8(at + 2) & 1) != 0) {
          transparent = bytes.u8(at + 5);
        }
        at++;
        int size;
        while ((size = bytes.u8(at++)) != 0) {
          at += size;
        }
      }
    }
    int left = bytes.u16(at);
    int top = bytes.u16(at + 2);
    int frameWidth = bytes.u16(at + 4);
    int frameHeight = bytes.u16(at + 6);
    int frameFlags = bytes.u8(at + 8);
    if ((frameFlags & 0x80) != 0) {
      readPalette(bytes, at + 9, frameFlags, palette);
    }
    // Pillow grows the canvas to hold the frame.
    int width = Math.max(bytes.u16(6), left + frameWidth);
    int height = Math.max(bytes.u16(8), top + frameHeight);
    limits.check(width, height);
    limits.check(frameWidth, frameHeight);
    // A code of at least 2 bits stands for at most 4096 pixels.
    Limits.checkDensity((long) frameWidth * frameHeight, data.length, 4096 * 4);
    byte[] indices = new byte[width * height];
    if (transparent >= 0) {
      Arrays.fill(indices, (byte) transparent);
    }
    GifFrame frame = new GifFrame(data, (int) at + 9 + paletteBytes(frameFlags));
    frame.decode(indices, width, left, top, frameWidth, frameHeight, (frameFlags & 0x40) != 0);
    return new RgbImage(width, height, PillowPixels.expand(indices, palette));
  }

  private static long readPalette(Bytes bytes, long at, int flags, byte[] palette)
      throws ImageException {
    int size = 3 << ((flags & 7) + 1);
    bytes.u8(at + size - 1);
    Arrays.fill(palette, (byte) 0);
    System.arraycopy(bytes.data(), (int) at, palette, 0, size);
    return at + size;
  }

  private static int paletteBytes(int flags) {
    return (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
  }
}
