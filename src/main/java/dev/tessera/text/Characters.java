package dev.tessera.text;

import java.util.function.IntPredicate;

/** Classes of characters as the tokenizers' authors define them. */
final class Characters {
  private Characters() {}

  /** Unicode's White_Space. */
  static boolean isWhitespace(int c) {
    return c <= 0x20
        ? c == ' ' || (c >= '\t' && c <= '\r')
        : c >= 0x85
            && (c == 0x85
                || c == 0xa0
                || c == 0x1680
                || (c >= 0x2000 && c <= 0x200a)
                || c == 0x2028
                || c == 0x2029
                || c == 0x202f
                || c == 0x205f
                || c == 0x3000);
  }

  /** Every ASCII sign that is no letter, digit or space, and Unicode's punctuation, as in BERT. */
  static boolean isPunctuation(int c) {
    if (c < 0x80) {
      return c > ' ' && c < 0x7f && !Character.isLetterOrDigit(c);
    }
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** Unicode's numbers: digits, letters that are numbers, and others such as ½. */
  static boolean isNumber(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  /** What a regular expression's {@code \w} matches. */
  static boolean isWord(int c) {
    return Character.isAlphabetic(c)
        || isMark(c)
        || Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER
        || Character.getType(c) == Character.CONNECTOR_PUNCTUATION
        || c == 0x200c
        || c == 0x200d;
  }

  /** Combining marks of every kind. */
  static boolean isMark(int c) {
    int type = Character.getType(c);
    return type == Character.NON_SPACING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.ENCLOSING_MARK;
  }

  /** What BERT removes: controls, invisible formats and private characters. */
  static boolean isControl(int c) {
    int type = Character.getType(c);
    return (type == Character.CONTROL && c != '\t' && c != '\n' && c != '\r')
        || type == Character.FORMAT
        || type == Character.PRIVATE_USE;
  }

  /** The blocks of Chinese characters that BERT puts spaces around. */
  static boolean isChinese(int c) {
    return c >= 0x3400
        && ((c >= 0x4e00 && c <= 0x9fff)
            || c <= 0x4dbf
            || (c >= 0xf900 && c <= 0xfaff)
            || (c >= 0x20000 && c <= 0x2a6df)
            || (c >= 0x2a700 && c <= 0x2b73f)
            || (c >= 0x2b740 && c <= 0x2b81f)
            || (c >= 0x2b920 && c <= 0x2ceaf)
            || (c >= 0x2f800 && c <= 0x2fa1f));
  }

  static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  /** The text without the characters that are in {@code unwanted}. */
  static String without(String text, IntPredicate unwanted) {
    StringBuilder kept = new StringBuilder(text.length());
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (!unwanted.test(c)) {
        kept.appendCodePoint(c);
      }
    }
    return kept.length() == text.length() ? text : kept.toString();
  }
}
