package dev.tessera.image;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds the orientation in EXIF data (a TIFF structure) or, failing that, in XMP text. */
final class Exif {
  private static final int ORIENTATION = 0x112;

  private Exif() {}

  /**
   * The orientation as Pillow's {@code getexif} sees it: EXIF first, then XMP, then upright.
   * Damaged metadata never spoils a picture.
   *
   * @param exif EXIF data with or without the leading {@code Exif\0\0}
   * @param xmp an XMP packet
   */
  static Orientation orientation(byte @Nullable [] exif, byte @Nullable [] xmp) {
    int value = exif == null ? -1 : find(exif);
    if (value < 0 && xmp != null) {
      value = findXmp(xmp);
    }
    return Orientation.of(value);
  }

  private static int find(byte[] exif) {
    int base = 0;
    Bytes probe = new Bytes(exif, true);
    while (probe.startsWith("Exif\0\0", base)) {
      base += 6;
    }
    Bytes bytes = new Bytes(exif, probe.startsWith("MM", base));
    try {
      if (!bytes.bigEndian() && !bytes.startsWith("II", base)) {
        return -1;
      }
      long directory = base + bytes.u32(base + 4);
      int entries = bytes.u16(directory);
      for (int i = 0; i < entries; i++) {
        long entry = directory + 2 + 12L * i;
        if (bytes.u16(entry) == ORIENTATION) {
          return switch (bytes.u16(entry + 2)) {
            case 1, 6 -> bytes.u8(entry + 8);
            case 3, 8 -> bytes.u16(entry + 8);
            case 4, 9 -> (int) Math.min(bytes.u32(entry + 8), 9);
            default -> -1;
          };
        }
      }
    } catch (ImageException damaged) {
      return -1;
    }
    return -1;
  }

  private static int findXmp(byte[] xmp) {
    // Pillow looks no deeper either; the pattern is only built for files that carry XMP.
    Matcher found =
        Pattern.compile("tiff:Orientation(=\"|>)([0-9])")
            .matcher(new String(xmp, StandardCharsets.ISO_8859_1));
    return found.find() ? found.group(2).charAt(0) - '0' : -1;
  }
}
