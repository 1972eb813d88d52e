package dev.tessera.image;

import javax.imageio.stream.ImageInputStreamImpl;

/** A seekable ImageIO stream over bytes in memory, without the copy or the temporary file. */
final class BytesInput extends ImageInputStreamImpl {
  private final byte[] data;

  BytesInput(byte[] data) {
    this.data = data;
  }

  @Override
  public int read() {
    bitOffset = 0;
    return streamPos < data.length ? data[(int) streamPos++] & 0xff : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    bitOffset = 0;
    if (streamPos >= data.length) {
      return -1;
    }
    int count = (int) Math.min(length, data.length - streamPos);
    System.arraycopy(data, (int) streamPos, target, offset, count);
    streamPos += count;
    return count;
  }

  @Override
  public long length() {
    return data.length;
  }
}
