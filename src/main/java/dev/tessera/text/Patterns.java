package dev.tessera.text;

import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Regular expressions out of files that nobody vouches for. */
final class Patterns {
  /** Longer ones are in no published tokenizer. */
  private static final int MAX_LENGTH = 1 << 14;

  /** Characters that a search may look at: a few for each of the text, and some to begin with. */
  private static final long STEPS_PER_CHARACTER = 2_000;

  private static final long FIRST_STEPS = 1_000_000;

  private Patterns() {}

  /**
   * An expression in Oniguruma's syntax, as far as published tokenizers use it. There {@code \s},
   * {@code \w} and the rest are Unicode's.
   *
   * @throws IllegalArgumentException if it is none
   */
  static Pattern regex(String expression) {
    if (expression.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a regular expression of " + expression.length() + " characters is too long");
    }
    try {
      // Java has scripts only with Is before their names.
      String java =
          expression.replaceAll(
              "\\\\([pP])\\{\\^?(Han|Hiragana|Katakana|Thai|Hangul)\\}", "\\\\$1{Is$2}");
      return Pattern.compile(java, Pattern.UNICODE_CHARACTER_CLASS | Pattern.MULTILINE);
    } catch (PatternSyntaxException | StackOverflowError e) {
      throw new IllegalArgumentException("\"" + expression + "\" is no regular expression", e);
    }
  }

  /** An expression that matches {@code words} themselves. */
  static Pattern literal(String words) {
    return Pattern.compile(words, Pattern.LITERAL);
  }

  /**
   * What {@code search} does with a matcher over {@code text} that gives up when it takes
   * unreasonably long.
   *
   * @throws IllegalArgumentException if it does
   */
  static <T> T guarded(Pattern pattern, String text, Function<Matcher, T> search) {
    long limit = FIRST_STEPS + STEPS_PER_CHARACTER * text.length();
    try {
      return search.apply(pattern.matcher(new Guard(text, new long[] {limit}, 0, text.length())));
    } catch (StackOverflowError e) {
      throw tooMuch(pattern, text, e);
    } catch (TooManySteps e) {
      throw tooMuch(pattern, text, e);
    }
  }

  private static IllegalArgumentException tooMuch(Pattern pattern, String text, Throwable cause) {
    return new IllegalArgumentException(
        "the tokenizer's expression \""
            + pattern
            + "\" does not get through a text of "
            + text.length()
            + " characters",
        cause);
  }

  private static final class TooManySteps extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooManySteps() {
      super("too many steps", null, false, false);
    }
  }

  /** Counts how often a character is looked at; parts share the count. */
  private record Guard(String text, long[] left, int from, int to) implements CharSequence {
    @Override
    public int length() {
      return to - from;
    }

    @Override
    public char charAt(int index) {
      if (--left[0] < 0) {
        throw new TooManySteps();
      }
      return text.charAt(from + index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Guard(text, left, from + start, from + end);
    }

    @Override
    public String toString() {
      return text.substring(from, to);
    }
  }
}
