package dev.tessera.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Tokens such as {@code <0xE4>} that stand for single bytes of what has no other token. */
final class BytePieces {
  private BytePieces() {}

  /** How the vocabulary spells a byte. */
  static String spelling(byte value) {
    return "<0x%02X>".formatted(value & 0xff);
  }

  /** The byte that a token stands for, or -1. */
  static int value(String token) {
    if (token.length() != 6 || !token.startsWith("<0x") || !token.endsWith(">")) {
      return -1;
    }
    int high = Character.digit(token.charAt(3), 16);
    int low = Character.digit(token.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
  }

  /** Adds a token for each byte; adds none and returns false if the vocabulary lacks one. */
  static boolean add(byte[] bytes, Vocabulary vocabulary, Ids ids) {
    int before = ids.size();
    for (byte value : bytes) {
      int id = vocabulary.id(spelling(value));
      if (id < 0) {
        ids.truncate(before);
        return false;
      }
      ids.add(id);
    }
    return true;
  }

  /**
   * What a run of byte tokens stands for where a run that is not UTF-8 is lost as a whole: a
   * replacement character for each of its bytes.
   */
  static String text(ByteArrayOutputStream run) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(run.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      return "\ufffd".repeat(run.size());
    }
  }
}
