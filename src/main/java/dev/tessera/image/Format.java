package dev.tessera.image;

/** The kinds of file that are told apart by their first bytes. */
enum Format {
  JPEG,
  PNG,
  GIF,
  BMP,
  TIFF,
  WEBP,
  OTHER;

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
    }
    return OTHER;
  }
}
