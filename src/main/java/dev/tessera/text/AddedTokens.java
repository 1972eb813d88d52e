package dev.tessera.text;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that are found in a text as they stand, before it is cut into words: at each place the
 * longest, from left to right.
 */
final class AddedTokens {
  /**
   * One such token.
   *
   * @param singleWord whether it counts only where no letter or digit is beside it
   * @param leftStrip whether it takes the white space before it
   * @param rightStrip whether it takes the white space after it
   * @param normalized whether it is looked for in the normalised text
   * @param special whether decoding leaves it out on demand
   */
  record Token(
      int id,
      String content,
      boolean singleWord,
      boolean leftStrip,
      boolean rightStrip,
      boolean normalized,
      boolean special) {
    /** A special token that is looked for as it stands. */
    static Token special(int id, String content) {
      return new Token(id, content, false, false, false, false, true);
    }
  }

  /** A part of a text: a token, or what is between tokens. */
  record Part(String text, int from, int id) {
    boolean isToken() {
      return id >= 0;
    }
  }

  private record Entry(String content, Token token) {}

  private final Map<Character, List<Entry>> byFirst = new HashMap<>();

  /**
   * @param spelling how a token is spelled in the texts that are searched
   */
  AddedTokens(List<Token> tokens, Normalizer spelling) {
    for (Token token : tokens) {
      String content = spelling.apply(token.content());
      if (!content.isEmpty()) {
        byFirst
            .computeIfAbsent(content.charAt(0), first -> new ArrayList<>())
            .add(new Entry(content, token));
      }
    }
    for (List<Entry> entries : byFirst.values()) {
      entries.sort(Comparator.comparingInt((Entry entry) -> -entry.content.length()));
    }
  }

  /** The text as tokens and what is between them; nothing for the empty text. */
  List<Part> split(String text) {
    List<Part> parts = new ArrayList<>();
    int from = 0;
    for (int at = 0; at < text.length() && !byFirst.isEmpty(); ) {
      Entry entry = find(text, at);
      if (entry == null) {
        at++;
        continue;
      }
      int end = at + entry.content.length();
      if (entry.token.singleWord() && (wordBefore(text, at) || wordAfter(text, end))) {
        at = end;
        continue;
      }
      int start = at;
      while (entry.token.leftStrip()
          && start > from
          && Characters.isWhitespace(text.charAt(start - 1))) {
        start--;
      }
      while (entry.token.rightStrip()
          && end < text.length()
          && Characters.isWhitespace(text.charAt(end))) {
        end++;
      }
      if (from < start) {
        parts.add(new Part(text.substring(from, start), from, -1));
      }
      parts.add(new Part(text.substring(start, end), start, entry.token.id()));
      from = end;
      at = end;
    }
    if (from < text.length()) {
      parts.add(new Part(text.substring(from), from, -1));
    }
    return parts;
  }

  private @Nullable Entry find(String text, int at) {
    List<Entry> entries = byFirst.get(text.charAt(at));
    if (entries != null) {
      for (Entry entry : entries) {
        if (text.startsWith(entry.content, at)) {
          return entry;
        }
      }
    }
    return null;
  }

  private static boolean wordBefore(String text, int at) {
    return at > 0 && Characters.isWord(text.codePointBefore(at));
  }

  private static boolean wordAfter(String text, int at) {
    return at < text.length() && Characters.isWord(text.codePointAt(at));
  }
}
