package dev.tessera.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What sentencepiece does to a text, in UTF-8, before it looks for pieces. */
final class SentencePieceNormalizer {
  /** U+2581, which stands for a space. */
  static final String SPACE = "\u2581";

  private static final byte[] SPACE_BYTES = SPACE.getBytes(StandardCharsets.UTF_8);
  private static final byte[] PLAIN_SPACE = {' '};

  private final SentencePieceModel model;
  private final SortedPieces userDefined;
  private final byte[] space;

  /**
   * @param userDefined pieces that are taken as they stand
   */
  SentencePieceNormalizer(SentencePieceModel model, SortedPieces userDefined) {
    this.model = model;
    this.userDefined = userDefined;
    this.space = model.escapeSpaces() ? SPACE_BYTES : PLAIN_SPACE;
  }

  /** How many bytes of the text one step takes, and what stands for them. */
  private record Prefix(int length, byte[] text) {
    boolean isSpace() {
      return text.length == 1 && text[0] == ' ';
    }
  }

  byte[] normalize(byte[] text) {
    int from = 0;
    while (model.removeExtraSpaces() && from < text.length) {
      Prefix prefix = prefix(text, from);
      if (!prefix.isSpace()) {
        break;
      }
      from += prefix.length();
    }
    if (from == text.length) {
      return new byte[0];
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length + 16);
    if (model.dummyPrefix() && !model.spaceAsSuffix()) {
      out.writeBytes(space);
    }
    boolean afterSpace = model.removeExtraSpaces();
    while (from < text.length) {
      Prefix prefix = prefix(text, from);
      byte[] bytes = prefix.text();
      int start = 0;
      while (afterSpace && start < bytes.length && bytes[start] == ' ') {
        start++;
      }
      for (int i = start; i < bytes.length; i++) {
        if (bytes[i] == ' ') {
          out.writeBytes(space);
        } else {
          out.write(bytes[i]);
        }
      }
      if (start < bytes.length) {
        afterSpace = bytes[bytes.length - 1] == ' ';
      }
      afterSpace &= model.removeExtraSpaces();
      from += prefix.length();
    }
    byte[] result = out.toByteArray();
    int size = result.length;
    while (model.removeExtraSpaces() && endsWithSpace(result, size)) {
      size -= space.length;
    }
    if (model.dummyPrefix() && model.spaceAsSuffix()) {
      result = Arrays.copyOf(result, size + space.length);
      System.arraycopy(space, 0, result, size, space.length);
      return result;
    }
    return size == result.length ? result : Arrays.copyOf(result, size);
  }

  private boolean endsWithSpace(byte[] text, int size) {
    return size >= space.length
        && Arrays.equals(text, size - space.length, size, space, 0, space.length);
  }

  private Prefix prefix(byte[] text, int from) {
    int literal = userDefined.longest(text, from, text.length);
    if (literal > 0) {
      return new Prefix(literal, Arrays.copyOfRange(text, from, from + literal));
    }
    CharsMap map = model.charsMap();
    if (map != null) {
      CharsMap.Match match = map.find(text, from, text.length, true);
      if (match.length() > 0) {
        return new Prefix(match.length(), map.replacement(match));
      }
    }
    int length = Math.min(Unigram.length(text[from]), text.length - from);
    return new Prefix(length, Arrays.copyOfRange(text, from, from + length));
  }
}
