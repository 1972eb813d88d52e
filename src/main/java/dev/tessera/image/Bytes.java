package dev.tessera.image;

import java.nio.charset.StandardCharsets;

/**
 * Bounds-checked numbers out of a file's bytes; reading past the end is an {@link ImageException}.
 */
record Bytes(byte[] data, boolean bigEndian) {
  int length() {
    return data.length;
  }

  int u8(long at) throws ImageException {
    need(at, 1);
    return data[(int) at] & 0xff;
  }

  int u16(long at) throws ImageException {
    need(at, 2);
    int a = data[(int) at] & 0xff;
    int b = data[(int) at + 1] & 0xff;
    return bigEndian ? a << 8 | b : b << 8 | a;
  }

  long u32(long at) throws ImageException {
    need(at, 4);
    long a = u16(at);
    long b = u16(at + 2);
    return bigEndian ? a << 16 | b : b << 16 | a;
  }

  boolean startsWith(String latin1, long at) {
    byte[] wanted = latin1.getBytes(StandardCharsets.ISO_8859_1);
    if (at < 0 || at + wanted.length > data.length) {
      return false;
    }
    for (int i = 0; i < wanted.length; i++) {
      if (data[(int) at + i] != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  private void need(long at, int count) throws ImageException {
    if (at < 0 || at > data.length - count) {
      throw new ImageException("is truncated (%d bytes)".formatted(data.length));
    }
  }
}
