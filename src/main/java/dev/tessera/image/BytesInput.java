package dev.tessera.image;

import java.io.IOException;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * A seekable ImageIO stream over bytes in memory, without the copy or the temporary file.
 *
 * <p>Readers may look past the end a little, but one that goes on reading there is decoding nothing
 * into something, which can take minutes, and is stopped.
 */
final class BytesInput extends ImageInputStreamImpl {
  private static final int MAX_READS_PAST_END = 256;

  private final byte[] data;
  private int readsPastEnd;

  BytesInput(byte[] data) {
    this.data = data;
  }

  @Override
  public int read() throws IOException {
    bitOffset = 0;
    return streamPos < data.length ? data[(int) streamPos++] & 0xff : end();
  }

  private int end() throws IOException {
    readsPastEnd++;
    if (readsPastEnd > MAX_READS_PAST_END) {
      throw new ImageException("is truncated: its data ends early");
    }
    return -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    bitOffset = 0;
    if (streamPos >= data.length) {
      return end();
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
