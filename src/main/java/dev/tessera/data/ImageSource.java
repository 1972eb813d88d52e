package dev.tessera.data;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.RgbImage;
import java.nio.file.Path;

/** Where an image's pixels come from. */
public sealed interface ImageSource {
  /**
   * The image.
   *
   * @param decoder reads files
   * @throws ImageException if it cannot be read
   */
  RgbImage decode(Decoder decoder) throws ImageException;

  /** An image file. */
  record File(Path path) implements ImageSource {
    @Override
    public RgbImage decode(Decoder decoder) throws ImageException {
      return decoder.decode(path);
    }
  }

  /**
   * Samples in memory, as the containers of small images hold them.
   *
   * @param samples {@code [height, width]} gray bytes or {@code [3, height, width]} bytes, red
   *     first
   */
  record Samples(int width, int height, byte[] samples) implements ImageSource {
    public Samples {
      long area = (long) width * height;
      if (samples.length != area && samples.length != 3 * area) {
        throw new IllegalArgumentException(
            "%d samples are no image of %dx%d pixels".formatted(samples.length, width, height));
      }
    }

    /** The samples of {@code image}: gray where its channels are equal. */
    static Samples of(RgbImage image) {
      byte[] pixels = image.pixels();
      int area = image.width() * image.height();
      boolean gray = true;
      for (int i = 0; gray && i < pixels.length; i += 3) {
        gray = pixels[i] == pixels[i + 1] && pixels[i] == pixels[i + 2];
      }
      byte[] samples = new byte[gray ? area : 3 * area];
      for (int plane = 0; plane < samples.length; plane += area) {
        int from = plane / area;
        for (int i = 0; i < area; i++, from += 3) {
          samples[plane + i] = pixels[from];
        }
      }
      return new Samples(image.width(), image.height(), samples);
    }

    @Override
    public RgbImage decode(Decoder decoder) {
      return image();
    }

    RgbImage image() {
      int area = width * height;
      int step = samples.length == area ? 0 : area;
      byte[] pixels = new byte[3 * area];
      for (int i = 0, to = 0; i < area; i++, to += 3) {
        pixels[to] = samples[i];
        pixels[to + 1] = samples[i + step];
        pixels[to + 2] = samples[i + 2 * step];
      }
      return new RgbImage(width, height, pixels);
    }
  }
}
