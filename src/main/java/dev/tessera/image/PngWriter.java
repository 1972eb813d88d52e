package dev.tessera.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Images as PNG files of 8 bits: gray where all channels are equal, else RGB. */
public final class PngWriter {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  private PngWriter() {}

  /** The bytes of a file that decodes to {@code image} exactly. */
  public static byte[] encode(RgbImage image) {
    byte[] pixels = image.pixels();
    boolean gray = true;
    for (int i = 0; gray && i < pixels.length; i += 3) {
      gray = pixels[i] == pixels[i + 1] && pixels[i] == pixels[i + 2];
    }
    int stride = gray ? image.width() : 3 * image.width();
    byte[] rows = new byte[Math.multiplyExact(image.height(), stride + 1)];
    for (int y = 0, to = 0; y < image.height(); y++) {
      rows[to++] = 0; // every row as it is: small images gain nothing from the filters
      for (int i = 0; i < stride; i++) {
        rows[to++] = pixels[3 * y * image.width() + (gray ? 3 * i : i)];
      }
    }
    ByteBuffer header = ByteBuffer.allocate(13);
    header.putInt(image.width()).putInt(image.height());
    header.put((byte) 8).put((byte) (gray ? 0 : 2));
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(SIGNATURE);
    chunk(file, "IHDR", header.array());
    chunk(file, "IDAT", deflated(rows));
    chunk(file, "IEND", new byte[0]);
    return file.toByteArray();
  }

  private static byte[] deflated(byte[] data) {
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(data);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 14];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    }
  }

  private static void chunk(ByteArrayOutputStream file, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    file.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    file.writeBytes(name);
    file.writeBytes(data);
    file.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
