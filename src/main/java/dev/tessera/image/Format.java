package dev.tessera.image;

/** The kinds of file that are told apart by their first bytes. */
enum Format {
  JPEG,
  PNG,
  GIF,
  BMP,
  TIFF,
  WEBP,
  PNM,
  ICO,
  PCX,
  PSD,
  DCX,
  ICNS,
  XBM,
  XPM,
  RGBE,
  WBMP,
  UNKNOWN;

  /** What people call these formats, for messages. */
  static final String NAMES =
      "JPEG, PNG, GIF, BMP, TIFF, WebP, PNM, ICO, PCX, PSD, DCX, ICNS, XBM, XPM, HDR, WBMP";

  static Format of(byte[] data) {
    Bytes bytes = new Bytes(data, true);
    if (bytes.startsWith("\u00ff\u00d8\u00ff", 0)) {
      return JPEG;
    } else if (bytes.startsWith("\u0089PNG\r\n\u001a\n", 0)) {
      return PNG;
    } else if (bytes.startsWith("GIF87a", 0) || bytes.startsWith("GIF89a", 0)) {
      return GIF;
    } else if (bytes.startsWith("BM", 0)) {
      return BMP;
    } else if (bytes.startsWith("II*\0", 0)
        || bytes.startsWith("MM\0*", 0)
        || bytes.startsWith("II+\0", 0)
        || bytes.startsWith("MM\0+", 0)) {
      return TIFF;
    } else if (bytes.startsWith("RIFF", 0) && bytes.startsWith("WEBP", 8)) {
      return WEBP;
    } else if (data.length > 8 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6') {
      return data[2] == ' ' || (data[2] >= 9 && data[2] <= 13) || data[2] == '#' ? PNM : UNKNOWN;
    } else if (bytes.startsWith("\0\0\1\0", 0)) {
      return ICO;
    } else if (bytes.startsWith("8BPS\0\1", 0)) {
      return PSD;
    } else if (data.length > 128 && data[0] == 10 && data[1] >= 0 && data[1] <= 5 && data[2] == 1) {
      return PCX;
    } else if (bytes.startsWith("\u00b1h\u00de:", 0)) {
      return DCX;
    } else if (bytes.startsWith("icns", 0)) {
      return ICNS;
    } else if (bytes.startsWith("/* XPM */", 0)) {
      return XPM;
    } else if (bytes.startsWith("#?RADIANCE\n", 0)) {
      return RGBE;
    } else if (isXbm(bytes)) {
      return XBM;
    }
    return isWbmp(data) ? WBMP : UNKNOWN;
  }

  private static boolean isXbm(Bytes bytes) {
    int at = 0;
    while (at < bytes.length() && Character.isWhitespace(bytes.data()[at])) {
      at++;
    }
    return bytes.startsWith("#define", at);
  }

  /** Two zeros and two sizes begin many a file; this one is just as long as they say. */
  private static boolean isWbmp(byte[] data) {
    if (data.length < 5 || data[0] != 0 || data[1] != 0) {
      return false;
    }
    long[] sizes = new long[2];
    int at = 2;
    for (int i = 0; i < 2; i++) {
      int digits = 0;
      do {
        if (at >= data.length || ++digits > 4) {
          return false;
        }
        sizes[i] = sizes[i] << 7 | data[at] & 0x7f;
      } while (data[at++] < 0);
    }
    return sizes[0] > 0 && sizes[1] > 0 && data.length - at == (sizes[0] + 7) / 8 * sizes[1];
  }
}
