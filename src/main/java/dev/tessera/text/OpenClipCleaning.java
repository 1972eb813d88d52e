package dev.tessera.text;

import java.nio.charset.Charset;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.parser.Parser;

/**
 * What open_clip does to a text before it looks for words: the repairs of <a
 * href="https://github.com/rspeer/python-ftfy">ftfy</a>, HTML entities resolved, white space made
 * single spaces, and small letters.
 *
 * <p>Of ftfy one repair is left out: text that was decoded in the wrong encoding ("cafÃ©") stays as
 * it is.
 */
record OpenClipCleaning() implements Normalizer {
  private static final Pattern ENTITY = Pattern.compile("&#?[0-9A-Za-z]{1,24};");
  private static final Pattern TERMINAL_ESCAPE = Pattern.compile("\u001b\\[[\\d;]*[a-zA-Z]");
  private static final Pattern SINGLE_QUOTE = Pattern.compile("[\u02bc\u2018-\u201b]");
  private static final Pattern DOUBLE_QUOTE = Pattern.compile("[\u201c-\u201f]");
  private static final Pattern LINE_BREAK = Pattern.compile("\r\n?|[\u2028\u2029\u0085]");

  /** ftfy repairs until nothing changes; a text that never settles is not worth more rounds. */
  private static final int ROUNDS = 32;

  @Override
  public String apply(String text) {
    String repaired = repair(text);
    String plain = unescape(unescape(repaired));
    return lower(singleSpaces(plain));
  }

  /** The canonical form that SigLIP was trained on: no ASCII punctuation, and small letters. */
  static Normalizer canonical(boolean lowercase) {
    return new Canonical(lowercase);
  }

  private record Canonical(boolean lowercase) implements Normalizer {
    @Override
    public String apply(String text) {
      return singleSpaces(
          Characters.without(
              lowercase ? lower(text) : text, c -> c < 0x80 && Characters.isPunctuation(c)));
    }
  }

  private static String repair(String text) {
    boolean entities = !text.contains("<"); // else it may be HTML, whose entities belong there
    String current = text;
    for (int round = 0; round < ROUNDS; round++) {
      String next =
          entities ? ENTITY.matcher(current).replaceAll(OpenClipCleaning::entity) : current;
      next = characters(next);
      next = DOUBLE_QUOTE.matcher(next).replaceAll("\"");
      next = SINGLE_QUOTE.matcher(next).replaceAll("'");
      next = LINE_BREAK.matcher(next).replaceAll("\n");
      next = TERMINAL_ESCAPE.matcher(next).replaceAll("");
      next = Characters.without(next, OpenClipCleaning::isUnwanted);
      next = java.text.Normalizer.normalize(next, java.text.Normalizer.Form.NFC);
      if (next.equals(current)) {
        break;
      }
      current = next;
    }
    return current;
  }

  /** The character that an entity names, in capitals if its name is; else the entity itself. */
  private static String entity(java.util.regex.MatchResult match) {
    String entity = match.group();
    String resolved = unescape(entity);
    if (resolved.equals(entity)
        && entity.charAt(1) != '#'
        && entity.equals(entity.toUpperCase(Locale.ROOT))) {
      String small = entity.toLowerCase(Locale.ROOT);
      String letter = unescape(small);
      resolved = letter.equals(small) ? entity : letter.toUpperCase(Locale.ROOT);
    }
    return Matcher.quoteReplacement(resolved);
  }

  private static String unescape(String text) {
    return text.indexOf('&') < 0 ? text : Parser.unescapeEntities(text, false);
  }

  /** C1 controls as what they are in Windows-1252, Latin ligatures as letters, usual widths. */
  private static String characters(String text) {
    if (Characters.isAscii(text)) {
      return text;
    }
    StringBuilder result = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80 && c <= 0x9f) {
        String windows = new String(new byte[] {(byte) c}, Charset.forName("windows-1252"));
        result.append(windows.equals("\ufffd") ? String.valueOf(c) : windows);
      } else if (isLigature(c) || c == 0x3000 || (c >= 0xff01 && c < 0xfff0)) {
        result.append(compatible(c));
      } else {
        result.append(c);
      }
    }
    return result.toString();
  }

  /** Digraphs such as Ĳ and ǆ, and the Latin ligatures such as ﬁ. */
  private static boolean isLigature(char c) {
    return c == 0x132
        || c == 0x133
        || c == 0x149
        || (c >= 0x1c4 && c <= 0x1cc)
        || (c >= 0x1f1 && c <= 0x1f3)
        || (c >= 0xfb00 && c <= 0xfb06);
  }

  private static String compatible(char c) {
    return c == 0xfb05
        ? "\u017ft" // long s and t, which NFKC would make s and t
        : java.text.Normalizer.normalize(String.valueOf(c), java.text.Normalizer.Form.NFKC);
  }

  /** Controls that make no white space, and characters that are for other uses than text. */
  private static boolean isUnwanted(int c) {
    return (c <= 0x1f && c != '\t' && c != '\n' && c != '\f' && c != '\r')
        || c == 0x7f
        || (c >= 0x206a && c <= 0x206f)
        || c == 0xfeff
        || (c >= 0xfff9 && c <= 0xfffc)
        || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private static String singleSpaces(String text) {
    StringBuilder result = new StringBuilder(text.length());
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      boolean space = Characters.isWhitespace(c) || (c >= 0x1c && c <= 0x1f);
      if (!space) {
        result.appendCodePoint(c);
      } else if (!result.isEmpty() && result.charAt(result.length() - 1) != ' ') {
        result.append(' ');
      }
    }
    int length = result.length();
    if (length > 0 && result.charAt(length - 1) == ' ') {
      result.setLength(length - 1);
    }
    return result.toString();
  }

  /** As Python's {@code str.lower}: Unicode's full mapping, with ς at the end of a word. */
  private static String lower(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (c == 0x130) {
        lower.append("i\u0307");
      } else if (c == 'Σ') {
        lower.append(isFinal(text, i) ? 'ς' : 'σ');
      } else {
        lower.appendCodePoint(Character.toLowerCase(c));
      }
    }
    return lower.toString();
  }

  /** Unicode's Final_Sigma (section 3.13): a cased letter is before the sigma, and none after. */
  private static boolean isFinal(String text, int at) {
    int before = at;
    while (before > 0 && isCaseIgnorable(text.codePointBefore(before))) {
      before -= Character.charCount(text.codePointBefore(before));
    }
    int after = at + 1;
    while (after < text.length() && isCaseIgnorable(text.codePointAt(after))) {
      after += Character.charCount(text.codePointAt(after));
    }
    return before > 0
        && isCased(text.codePointBefore(before))
        && !(after < text.length() && isCased(text.codePointAt(after)));
  }

  private static boolean isCased(int c) {
    return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
  }

  private static boolean isCaseIgnorable(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.FORMAT,
          Character.MODIFIER_LETTER,
          Character.MODIFIER_SYMBOL ->
          true;
      default ->
          "'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a"
                  .indexOf(c)
              >= 0;
    };
  }
}
