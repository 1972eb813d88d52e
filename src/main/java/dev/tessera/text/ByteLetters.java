package dev.tessera.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A visible letter for each of the 256 bytes, so that vocabularies of bytes can be text files
 * (Radford et al., GPT-2, 2019): printable characters of Latin-1 stand for themselves, the other 68
 * bytes, in order, for U+0100 and what follows.
 */
final class ByteLetters {
  private static final char[] LETTERS = letters();

  private ByteLetters() {}

  private static char[] letters() {
    char[] letters = new char[256];
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      letters[b] = isPrintable(b) ? (char) b : next++;
    }
    return letters;
  }

  private static boolean isPrintable(int b) {
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  }

  /** One letter for each byte. */
  static String of(byte[] bytes) {
    char[] text = new char[bytes.length];
    for (int i = 0; i < text.length; i++) {
      text[i] = LETTERS[bytes[i] & 0xff];
    }
    return new String(text);
  }

  /** The byte that a letter stands for, or -1. */
  static int toByte(char letter) {
    if (letter < 0x100) {
      return isPrintable(letter) ? letter : -1;
    }
    int rank = letter - 0x100;
    // The bytes that are not printable: 0 to 32, 127 to 160, and 173.
    if (rank <= ' ') {
      return rank;
    }
    return rank < 67 ? rank - 33 + 127 : rank == 67 ? 0xad : -1;
  }

  /** Adds the bytes that the letters of a token stand for, or its own where one stands for none. */
  static void decode(String token, ByteArrayOutputStream bytes) {
    for (int i = 0; i < token.length(); i++) {
      if (toByte(token.charAt(i)) < 0) {
        bytes.writeBytes(token.getBytes(StandardCharsets.UTF_8));
        return;
      }
    }
    for (int i = 0; i < token.length(); i++) {
      bytes.write(toByte(token.charAt(i)));
    }
  }
}
