package dev.tessera.image;

import java.util.Objects;

/**
 * A decoded picture, upright, 8 bits per channel.
 *
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 * @param pixels {@code [height, width, 3]} bytes, red first; owned by the image, not copied
 */
public record RgbImage(int width, int height, byte[] pixels) {
  public RgbImage {
    Objects.requireNonNull(pixels, "pixels");
    if (width < 1 || height < 1 || pixels.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "%d bytes cannot hold a %dx%d RGB image".formatted(pixels.length, width, height));
    }
  }

  /**
   * This image with every channel replaced by Pillow's luma {@code L = (19595 R + 38470 G + 7471 B
   * + 2^15) >> 16} (ITU-R 601-2), as {@code convert("L")} computes it.
   */
  public RgbImage toGray() {
    byte[] gray = new byte[pixels.length];
    for (int i = 0; i < gray.length; i += 3) {
      int red = pixels[i] & 0xff;
      int green = pixels[i + 1] & 0xff;
      int blue = pixels[i + 2] & 0xff;
      byte luma = (byte) ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
      gray[i] = luma;
      gray[i + 1] = luma;
      gray[i + 2] = luma;
    }
    return new RgbImage(width, height, gray);
  }
}
