package dev.tessera.image;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the application segments of a JPEG file say about colours and orientation. */
final class JpegMetadata {
  private final ByteArrayOutputStream exif = new ByteArrayOutputStream(0);
  private byte @Nullable [] xmp;
  private boolean jfif;
  private int adobe = -1;

  /** Notes the content {@code [from, to)} of a segment if it matters. */
  void read(Bytes bytes, int marker, int from, int to) throws ImageException {
    int length = to - from;
    if (marker == 0xe0 && bytes.startsWith("JFIF\0", from) && length >= 14) {
      jfif = true;
    } else if (marker == 0xe1 && bytes.startsWith("Exif\0\0", from) && length >= 6) {
      int skip = exif.size() == 0 ? 0 : 6; // long EXIF data goes on in another segment
      exif.write(bytes.data(), from + skip, length - skip);
    } else if (marker == 0xe1 && bytes.startsWith("http://ns.adobe.com/xap/1.0/\0", from)) {
      xmp = Arrays.copyOfRange(bytes.data(), from, to);
    } else if (marker == 0xee && bytes.startsWith("Adobe", from) && length >= 12) {
      adobe = bytes.u8(from + 11);
    }
  }

  Orientation orientation() {
    return Exif.orientation(exif.size() == 0 ? null : exif.toByteArray(), xmp);
  }

  /**
   * Whether the first three of three or four components are YCbCr; libjpeg's rules.
   *
   * @param ids of the components
   */
  boolean luminanceChrominance(int[] ids) {
    if (ids.length == 4) {
      return adobe > 0;
    }
    if (jfif) {
      return true;
    }
    if (adobe >= 0) {
      return adobe != 0;
    }
    return !(ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B');
  }
}
