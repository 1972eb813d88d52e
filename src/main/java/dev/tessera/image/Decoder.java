package dev.tessera.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/**
 * Reads image files into upright RGB.
 *
 * <p>The format is decided by the content, never by the name. Of an animation or a file of several
 * pages, the first is read. The result is that of Pillow's {@code
 * ImageOps.exif_transpose(Image.open(file)).convert("RGB")}: alpha is dropped, 16-bit gray is
 * clipped, colour profiles are ignored. A decoder has no state and may be used by many threads.
 */
public final class Decoder {
  private static final Set<String> ENDINGS =
      Set.of(
          "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "tif", "tiff", "webp",
          "pbm", "pgm", "ppm", "pnm", "pam", "pcx", "dcx", "ico", "icns", "psd", "xbm", "xpm",
          "wbmp", "hdr", "pic");

  private static final int LONGEST_REASON = 120;

  private final Limits limits;

  /** A decoder with {@link Limits#DEFAULT}. */
  public Decoder() {
    this(Limits.DEFAULT);
  }

  public Decoder(Limits limits) {
    this.limits = limits;
  }

  /** Whether a file is probably meant as an image, by the ending of its {@code name}. */
  public static boolean hasImageEnding(String name) {
    int dot = name.lastIndexOf('.');
    return dot >= 0 && ENDINGS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
  }

  /**
   * The picture in {@code file}.
   *
   * @throws ImageException if there is no such file, or it is not a picture that can be read
   */
  public RgbImage decode(Path file) throws ImageException {
    return decode(read(file), file.toString());
  }

  /**
   * The picture in {@code data}.
   *
   * @param data a whole file; not changed
   * @param name what messages call it
   * @throws ImageException if it is not a picture that can be read
   */
  public RgbImage decode(byte[] data, String name) throws ImageException {
    if (data.length == 0) {
      throw new ImageException(name + " is empty");
    }
    Format format = Format.of(data);
    try {
      return switch (format) {
        case JPEG -> JpegReader.read(data, limits);
        case PNG -> PngReader.read(data, limits);
        case GIF -> GifReader.read(data, limits);
        case BMP -> BmpReader.read(data, limits);
        case TIFF -> TiffReader.read(data, limits);
        case WEBP -> WebpReader.read(data, limits);
        case PNM -> PnmReader.read(data, limits);
        case ICO -> IcoReader.read(data, limits);
        case PCX -> RareReader.readPcx(data, limits);
        case PSD -> RareReader.readPsd(data, limits);
        case DCX -> RareReader.readDcx(data, limits);
        case ICNS -> IcnsReader.read(data, limits);
        case XBM -> RareReader.readXbm(data, limits);
        case XPM -> RareReader.readXpm(data, limits);
        case RGBE -> RareReader.readRgbe(data, limits);
        case WBMP -> RareReader.readWbmp(data, limits);
        case UNKNOWN ->
            throw new ImageException("is not an image in a known format (" + Format.NAMES + ")");
      };
    } catch (ImageException e) {
      throw new ImageException(name + " " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      // The libraries report damage with whatever exception the damage led to.
      throw new ImageException(
          "%s cannot be decoded as %s (%s); the file is damaged or of an unsupported kind"
              .formatted(name, format, reason(e)),
          e);
    }
  }

  /** What a library says, in so far as it can be shown: some quote the file. */
  private static String reason(Exception e) {
    String said = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().strip();
    String plain = said.replaceAll("[^\\x20-\\x7e]", "?");
    return plain.length() <= LONGEST_REASON ? plain : plain.substring(0, LONGEST_REASON) + "...";
  }

  private byte[] read(Path file) throws ImageException {
    try {
      if (Files.isRegularFile(file)) {
        long size = Files.size(file);
        if (size > limits.maxFileBytes()) {
          throw new ImageException(
              "%s has %d bytes, more than the limit of %d for one image"
                  .formatted(file, size, limits.maxFileBytes()));
        }
        // The limit holds even if the file grows while it is read.
        try (InputStream in = Files.newInputStream(file)) {
          return in.readNBytes((int) Math.min(limits.maxFileBytes(), Integer.MAX_VALUE - 64));
        }
      }
      if (Files.exists(file)) {
        throw new ImageException(file + " is not a file");
      }
      throw new NoSuchFileException(file.toString());
    } catch (NoSuchFileException e) {
      throw new ImageException(file + " does not exist", e);
    } catch (ImageException e) {
      throw e;
    } catch (IOException e) {
      throw new ImageException(file + " cannot be read (" + e.getMessage() + ")", e);
    }
  }
}
