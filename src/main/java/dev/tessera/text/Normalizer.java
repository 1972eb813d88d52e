package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What happens to a text before it is cut into words, with the meanings and names that the
 * normalizers of a {@code tokenizer.json} have.
 */
interface Normalizer {
  String apply(String text);

  /** No change. */
  record None() implements Normalizer {
    @Override
    public String apply(String text) {
      return text;
    }
  }

  /** One after the other. */
  record Sequence(List<Normalizer> parts) implements Normalizer {
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public String apply(String text) {
      String result = text;
      for (Normalizer part : parts) {
        result = part.apply(result);
      }
      return result;
    }
  }

  /** Unicode's normal forms (UAX #15). */
  record Form(java.text.Normalizer.Form form) implements Normalizer {
    @Override
    public String apply(String text) {
      return Characters.isAscii(text) || java.text.Normalizer.isNormalized(text, form)
          ? text
          : java.text.Normalizer.normalize(text, form);
    }
  }

  /** Character by character, so that a final sigma stays as it is within a word. */
  record Lowercase() implements Normalizer {
    @Override
    public String apply(String text) {
      StringBuilder lower = new StringBuilder(text.length());
      for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
        c = text.codePointAt(i);
        if (c == 0x130) {
          lower.append("i\u0307"); // the only one that becomes two
        } else {
          lower.appendCodePoint(Character.toLowerCase(c));
        }
      }
      return lower.toString();
    }
  }

  /** Removes combining marks; takes no letter apart. */
  record StripAccents() implements Normalizer {
    @Override
    public String apply(String text) {
      return Characters.isAscii(text) ? text : Characters.without(text, Characters::isMark);
    }
  }

  /**
   * The preparation of BERT's texts (Devlin et al., arXiv:1810.04805).
   *
   * @param cleanText whether controls are removed and every white space becomes a space
   * @param chinese whether spaces are put around Chinese characters
   * @param stripAccents whether letters lose their accents
   * @param lowercase whether letters become small
   */
  record Bert(boolean cleanText, boolean chinese, boolean stripAccents, boolean lowercase)
      implements Normalizer {
    private static final Form DECOMPOSED = new Form(java.text.Normalizer.Form.NFD);
    private static final Lowercase LOWERCASE = new Lowercase();

    @Override
    public String apply(String text) {
      String result = cleanText || chinese ? spaced(text) : text;
      if (stripAccents && !Characters.isAscii(result)) {
        result =
            Characters.without(
                DECOMPOSED.apply(result), c -> Character.getType(c) == Character.NON_SPACING_MARK);
      }
      return lowercase ? LOWERCASE.apply(result) : result;
    }

    private String spaced(String text) {
      StringBuilder result = new StringBuilder(text.length() + 16);
      for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
        c = text.codePointAt(i);
        if (cleanText && (c == 0 || c == 0xfffd || Characters.isControl(c))) {
          continue;
        }
        if (cleanText && Characters.isWhitespace(c)) {
          result.append(' ');
        } else if (chinese && Characters.isChinese(c)) {
          result.append(' ').appendCodePoint(c).append(' ');
        } else {
          result.appendCodePoint(c);
        }
      }
      return result.toString();
    }
  }

  /** The rules that sentencepiece calls nmt, apart from its NFKC. */
  record Nmt() implements Normalizer {
    @Override
    public String apply(String text) {
      StringBuilder result = new StringBuilder(text.length());
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        boolean removed =
            (c >= 1 && c <= 8)
                || c == 0x0b
                || (c >= 0x0e && c <= 0x1f)
                || c == 0x7f
                || c == 0x8f
                || c == 0x9f;
        boolean space =
            c == '\t'
                || c == '\n'
                || c == '\f'
                || c == '\r'
                || c == 0x1680
                || (c >= 0x200b && c <= 0x200f)
                || c == 0x2028
                || c == 0x2029
                || c == 0x2581
                || c == 0xfeff
                || c == 0xfffd;
        if (!removed) {
          result.append(space ? ' ' : c);
        }
      }
      return result.toString();
    }
  }

  /** Removes white space at the ends. */
  record Strip(boolean left, boolean right) implements Normalizer {
    @Override
    public String apply(String text) {
      int from = 0;
      int to = text.length();
      while (left && from < to && Characters.isWhitespace(text.charAt(from))) {
        from++;
      }
      while (right && from < to && Characters.isWhitespace(text.charAt(to - 1))) {
        to--;
      }
      return text.substring(from, to);
    }
  }

  /** Replaces whatever the pattern finds by the same words. */
  record Replace(Pattern pattern, String content) implements Normalizer {
    @Override
    public String apply(String text) {
      return Patterns.guarded(pattern, text, m -> m.replaceAll(Matcher.quoteReplacement(content)));
    }
  }

  /** Puts something before a text that is not empty. */
  record Prepend(String content) implements Normalizer {
    @Override
    public String apply(String text) {
      return text.isEmpty() ? text : content + text;
    }
  }

  /** Writes the text's bytes as the letters that stand for them, see {@link ByteLetters}. */
  record Bytes() implements Normalizer {
    @Override
    public String apply(String text) {
      return ByteLetters.of(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A table compiled by sentencepiece, see {@link CharsMap#applyByGraphemes}. */
  record Precompiled(CharsMap table) implements Normalizer {
    @Override
    public String apply(String text) {
      return table.applyByGraphemes(text);
    }
  }
}
