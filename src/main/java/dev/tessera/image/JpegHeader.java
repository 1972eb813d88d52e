package dev.tessera.image;

import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What stands before the first scan of a JPEG file.
 *
 * @param components 1 (gray), 2 (only inside TIFF), 3 (YCbCr or RGB) or 4 (CMYK or YCCK)
 * @param luminanceChrominance whether the first three components are YCbCr
 * @param pictureOnly the file without its application segments and comments
 */
record JpegHeader(
    int width,
    int height,
    int components,
    boolean luminanceChrominance,
    Orientation orientation,
    byte[] pictureOnly) {
  private static final int SOI = 0xd8;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int DHT = 0xc4;
  private static final int DAC = 0xcc;
  private static final int DNL = 0xdc;
  private static final int COM = 0xfe;

  static JpegHeader parse(byte[] data) throws ImageException {
    Bytes bytes = new Bytes(data, true);
    ByteArrayOutputStream picture = new ByteArrayOutputStream(1024);
    ByteArrayOutputStream exif = new ByteArrayOutputStream(0);
    byte[] xmp = null;
    boolean jfif = false;
    int adobe = -1;
    long frame = -1;
    picture.write(0xff);
    picture.write(SOI);
    int at = 2;
    while (true) {
      // Pillow and libjpeg both skip anything up to the next marker.
      while (at < data.length && (data[at] & 0xff) != 0xff) {
        at++;
      }
      while (at < data.length && (data[at] & 0xff) == 0xff) {
        at++;
      }
      if (at >= data.length) {
        throw new ImageException("is truncated: it ends before the JPEG picture begins");
      }
      int marker = data[at++] & 0xff;
      if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= SOI)) {
        continue; // stuffing, or a marker without content
      }
      if (marker == EOI) {
        throw new ImageException("is a JPEG file without a picture");
      }
      if (marker == SOS) {
        break;
      }
      int length = bytes.u16(at);
      if (length < 2 || at + length > data.length) {
        throw new ImageException("is truncated: it ends before the JPEG picture begins");
      }
      long content = at + 2L;
      if (marker >= 0xc0 && marker <= 0xcf && marker != DHT && marker != 0xc8 && marker != DAC) {
        checkProcess(marker);
        if (frame >= 0) {
          throw new ImageException("is damaged: it has two JPEG frame headers");
        }
        frame = content;
      } else if (marker == 0xe0 && bytes.startsWith("JFIF\0", content) && length >= 16) {
        jfif = true;
      } else if (marker == 0xe1 && bytes.startsWith("Exif\0\0", content)) {
        int from = exif.size() == 0 ? 0 : 6;
        exif.write(data, (int) content + from, length - 2 - from);
      } else if (marker == 0xe1 && bytes.startsWith("http://ns.adobe.com/xap/1.0/\0", content)) {
        xmp = java.util.Arrays.copyOfRange(data, (int) content, at + length);
      } else if (marker == 0xee && bytes.startsWith("Adobe", content) && length >= 14) {
        adobe = bytes.u8(content + 11);
      }
      boolean metadata = (marker >= 0xe0 && marker <= 0xef) || marker == COM || marker == DNL;
      if (!metadata) {
        picture.write(0xff);
        picture.write(marker);
        picture.write(data, at, length);
      }
      at += length;
    }
    if (frame < 0) {
      throw new ImageException("is damaged: it has no JPEG frame header");
    }
    picture.write(data, at - 2, data.length - at + 2);
    return describe(bytes, frame, jfif, adobe, exif.toByteArray(), xmp, picture.toByteArray());
  }

  private static JpegHeader describe(
      Bytes bytes,
      long frame,
      boolean jfif,
      int adobe,
      byte[] exif,
      byte @Nullable [] xmp,
      byte[] picture)
      throws ImageException {
    int bits = bytes.u8(frame);
    if (bits != 8) {
      throw new ImageException(
          "is a JPEG file with %d bits per sample, which is not supported; re-save it with 8"
              .formatted(bits));
    }
    int height = bytes.u16(frame + 1);
    int width = bytes.u16(frame + 3);
    int components = bytes.u8(frame + 5);
    boolean ycc =
        switch (components) {
          case 1, 2 -> false;
          case 3 -> {
            if (jfif || adobe >= 0) {
              yield jfif || adobe != 0;
            }
            int first = bytes.u8(frame + 6);
            int second = bytes.u8(frame + 9);
            int third = bytes.u8(frame + 12);
            yield !(first == 'R' && second == 'G' && third == 'B');
          }
          case 4 -> adobe > 0; // libjpeg takes any other transform for YCCK too
          default ->
              throw new ImageException(
                  "is a JPEG file with %d components, which is not supported"
                      .formatted(components));
        };
    return new JpegHeader(width, height, components, ycc, Exif.orientation(exif, xmp), picture);
  }

  private static void checkProcess(int marker) throws ImageException {
    String process =
        switch (marker) {
          case 0xc0, 0xc1, 0xc2 -> null;
          case 0xc3 -> "lossless";
          case 0xc9, 0xca -> "arithmetic-coded";
          default -> "hierarchical";
        };
    if (process != null) {
      throw new ImageException(
          "is a %s JPEG file, which is not supported; re-save it as baseline or progressive"
              .formatted(process));
    }
  }
}
