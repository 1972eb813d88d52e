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
  UNKNOWN;

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
    }
    return UNKNOWN;
  }
}
