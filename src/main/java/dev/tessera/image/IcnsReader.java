package dev.tessera.image;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The largest picture of an Apple icon: a PNG file, or three planes of runs; in files from before
 * Mac OS 8.5, which have neither, what Commons Imaging finds first. JPEG 2000 is passed over.
 */
final class IcnsReader {
  /** Types of pictures, largest first as Pillow takes them, with the width of those in runs. */
  private enum Kind {
    IC10("ic10", 0),
    IC09("ic09", 0),
    IC14("ic14", 0),
    IC08("ic08", 0),
    IC13("ic13", 0),
    IC07("ic07", 0),
    IT32("it32", 128),
    ICP6("icp6", 0),
    IH32("ih32", 48),
    IC12("ic12", 0),
    ICP5("icp5", 0),
    IL32("il32", 32),
    IC11("ic11", 0),
    ICP4("icp4", 0),
    IS32("is32", 16);

    private final String type;
    private final int width;

    Kind(String type, int width) {
      this.type = type;
      this.width = width;
    }
  }

  private static final List<Kind> KINDS = List.of(Kind.values());
  private static final int HEADER = 8;

  private IcnsReader() {}

  static RgbImage read(byte[] data, Limits limits) throws IOException {
    Map<Kind, byte[]> found = new EnumMap<>(Kind.class); // in the order of the kinds
    Bytes bytes = new Bytes(data, true);
    long at = HEADER;
    while (at + HEADER <= data.length) {
      long end = at + bytes.u32(at + 4);
      if (end < at + HEADER || end > data.length) {
        throw new ImageException("is truncated: its icon data ends early");
      }
      for (Kind kind : KINDS) {
        if (bytes.startsWith(kind.type, at)) {
          found.put(kind, Arrays.copyOfRange(data, (int) at + HEADER, (int) end));
        }
      }
      at = end;
    }
    for (Map.Entry<Kind, byte[]> entry : found.entrySet()) {
      byte[] picture = entry.getValue();
      if (entry.getKey().width > 0) {
        return runs(picture, entry.getKey().width);
      } else if (Format.of(picture) == Format.PNG) {
        return PngReader.read(picture, limits);
      }
    }
    if (!found.isEmpty()) {
      throw new ImageException("is an icon of JPEG 2000 pictures, which are not supported");
    }
    return RareReader.readOldIcns(data, limits);
  }

  /**
   * Three bytes a pixel as they are; or all that is red, green and blue one after the other, each
   * in runs: a byte below 128 is followed by one more than so many bytes, another repeats the next
   * byte that often less 125.
   */
  private static RgbImage runs(byte[] data, int width) throws ImageException {
    int pixels = width * width;
    byte[] rgb = new byte[3 * pixels];
    if (data.length == rgb.length) {
      return new RgbImage(width, width, data);
    }
    Bytes bytes = new Bytes(data, true);
    int at = width == 128 ? 4 : 0; // it32 begins with four bytes that mean nothing
    for (int channel = 0; channel < 3; channel++) {
      int filled = 0;
      while (filled < pixels) {
        int code = bytes.u8(at++);
        int count = Math.min(code < 128 ? code + 1 : code - 125, pixels - filled);
        for (int i = 0; i < count; i++) {
          rgb[3 * filled++ + channel] = (byte) bytes.u8(code < 128 ? at++ : at);
        }
        at += code < 128 ? 0 : 1;
      }
    }
    return new RgbImage(width, width, rgb);
  }
}
