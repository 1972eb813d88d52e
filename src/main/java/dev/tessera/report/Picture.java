package dev.tessera.report;

import java.nio.ByteBuffer;
import java.util.Base64;

/**
 * An encoded picture.
 *
 * @param mediaType such as {@code image/png}
 * @param bytes the file
 * @param width in pixels of the page, which may be fewer than the file has
 * @param height in pixels of the page
 */
public record Picture(String mediaType, byte[] bytes, int width, int height) {
  /** A plot of this package: it has {@value Charts#SCALE} pixels for each of the page. */
  public static Picture ofPlot(byte[] png) {
    // Width and height stand first in the first chunk, which is always IHDR.
    ByteBuffer header = ByteBuffer.wrap(png);
    return new Picture(
        "image/png", png, header.getInt(16) / Charts.SCALE, header.getInt(20) / Charts.SCALE);
  }

  /** The picture as an address that needs no request (RFC 2397). */
  public String dataUri() {
    return "data:" + mediaType + ";base64," + Base64.getEncoder().encodeToString(bytes);
  }
}
