package dev.tessera.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a text is cut into the words that a subword model takes apart, with the meanings and names
 * that the pre-tokenizers of a {@code tokenizer.json} have.
 */
sealed interface PreTokenizer {
  /**
   * A part of a text.
   *
   * @param first whether the text begins with it
   */
  record Piece(String text, boolean first) {}

  /** The pieces that {@code piece} is cut into; empty ones are left out by the caller. */
  List<Piece> apply(Piece piece);

  /** What becomes of the delimiters. */
  enum Behavior {
    REMOVED,
    ISOLATED,
    MERGED_WITH_PREVIOUS,
    MERGED_WITH_NEXT,
    CONTIGUOUS
  }

  /** No cuts. */
  record None() implements PreTokenizer {
    @Override
    public List<Piece> apply(Piece piece) {
      return List.of(piece);
    }
  }

  /** One after the other, each on all pieces of the one before. */
  record Sequence(List<PreTokenizer> parts) implements PreTokenizer {
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public List<Piece> apply(Piece piece) {
      List<Piece> pieces = List.of(piece);
      for (PreTokenizer part : parts) {
        List<Piece> cut = new ArrayList<>();
        for (Piece whole : pieces) {
          for (Piece p : part.apply(whole)) {
            if (!p.text().isEmpty()) {
              cut.add(p);
            }
          }
        }
        pieces = cut;
      }
      return pieces;
    }
  }

  /** Cuts where characters of a class are, each of them a delimiter. */
  record Delimiters(IntPredicate delimiter, Behavior behavior) implements PreTokenizer {
    @Override
    public List<Piece> apply(Piece piece) {
      String text = piece.text();
      List<Span> spans = new ArrayList<>();
      int from = 0;
      for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
        c = text.codePointAt(i);
        if (delimiter.test(c)) {
          if (from < i) {
            spans.add(new Span(from, i, false));
          }
          from = i + Character.charCount(c);
          spans.add(new Span(i, from, true));
        }
      }
      if (from < text.length()) {
        spans.add(new Span(from, text.length(), false));
      }
      return cut(piece, spans, behavior);
    }
  }

  /** Words between white space, and signs of punctuation each by itself. */
  static PreTokenizer bert() {
    return new Sequence(
        List.of(
            new Delimiters(Characters::isWhitespace, Behavior.REMOVED),
            new Delimiters(Characters::isPunctuation, Behavior.ISOLATED)));
  }

  /** Runs of letters and digits, and runs of other signs; white space is removed. */
  record Words() implements PreTokenizer {
    @Override
    public List<Piece> apply(Piece piece) {
      List<Piece> pieces = new ArrayList<>();
      String text = piece.text();
      int from = 0;
      int previous = 0;
      for (int i = 0, c; i < text.length(); i += Character.charCount(c)) {
        c = text.codePointAt(i);
        int kind = Characters.isWord(c) ? 1 : Characters.isWhitespace(c) ? 0 : 2;
        if (kind != previous) {
          if (previous != 0) {
            pieces.add(new Piece(text.substring(from, i), piece.first() && from == 0));
          }
          from = i;
          previous = kind;
        }
      }
      if (previous != 0) {
        pieces.add(new Piece(text.substring(from), piece.first() && from == 0));
      }
      return pieces;
    }
  }

  /** Cuts where a pattern matches or, inverted, where it does not. */
  record Split(Pattern pattern, Behavior behavior, boolean invert) implements PreTokenizer {
    @Override
    public List<Piece> apply(Piece piece) {
      return cut(piece, spans(pattern, piece.text(), invert), behavior);
    }
  }

  /**
   * GPT-2's words, spelled in {@link ByteLetters}.
   *
   * @param prefixSpace whether a space is put before pieces that begin with none
   * @param split whether pieces are cut into GPT-2's words at all
   */
  record ByteLevel(boolean prefixSpace, boolean split) implements PreTokenizer {
    private static final Pattern WORDS =
        Patterns.regex(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

    @Override
    public List<Piece> apply(Piece piece) {
      Piece whole =
          prefixSpace && !piece.text().startsWith(" ")
              ? new Piece(" " + piece.text(), piece.first())
              : piece;
      List<Piece> words =
          split ? cut(whole, spans(WORDS, whole.text(), false), Behavior.ISOLATED) : List.of(whole);
      List<Piece> spelled = new ArrayList<>(words.size());
      for (Piece word : words) {
        byte[] bytes = word.text().getBytes(StandardCharsets.UTF_8);
        spelled.add(new Piece(ByteLetters.of(bytes), word.first()));
      }
      return spelled;
    }
  }

  /**
   * sentencepiece's way to keep spaces: they become a sign that belongs to the word after it.
   *
   * @param prefixed which pieces get the sign in front if they have none
   * @param split whether pieces are cut before the sign
   */
  record Metaspace(String sign, Predicate<Piece> prefixed, boolean split) implements PreTokenizer {
    @Override
    public List<Piece> apply(Piece piece) {
      String text = piece.text().replace(" ", sign);
      if (prefixed.test(piece) && !text.startsWith(sign)) {
        text = sign + text;
      }
      Piece whole = new Piece(text, piece.first());
      return split
          ? cut(whole, spans(Patterns.literal(sign), text, false), Behavior.MERGED_WITH_NEXT)
          : List.of(whole);
    }
  }

  /** A part of a text, and whether it is a delimiter. */
  record Span(int from, int to, boolean delimiter) {}

  /** The whole text as matches and what is between them. */
  private static List<Span> spans(Pattern pattern, String text, boolean invert) {
    return Patterns.guarded(
        pattern,
        text,
        (Matcher matcher) -> {
          List<Span> spans = new ArrayList<>();
          int from = 0;
          while (matcher.find()) {
            if (from < matcher.start()) {
              spans.add(new Span(from, matcher.start(), invert));
            }
            if (matcher.start() < matcher.end()) {
              spans.add(new Span(matcher.start(), matcher.end(), !invert));
            }
            from = matcher.end();
          }
          if (from < text.length()) {
            spans.add(new Span(from, text.length(), invert));
          }
          return spans;
        });
  }

  private static List<Piece> cut(Piece piece, List<Span> spans, Behavior behavior) {
    List<Span> merged =
        switch (behavior) {
          case REMOVED -> spans.stream().filter(span -> !span.delimiter()).toList();
          case ISOLATED -> spans;
          case MERGED_WITH_PREVIOUS -> withPrevious(spans);
          case MERGED_WITH_NEXT -> withNext(spans);
          case CONTIGUOUS -> contiguous(spans);
        };
    List<Piece> pieces = new ArrayList<>(merged.size());
    for (Span span : merged) {
      pieces.add(
          new Piece(
              piece.text().substring(span.from(), span.to()), piece.first() && span.from() == 0));
    }
    return pieces;
  }

  /** A delimiter is joined to what is before it, unless that is a delimiter as well. */
  private static List<Span> withPrevious(List<Span> spans) {
    List<Span> merged = new ArrayList<>();
    boolean previous = false;
    for (Span span : spans) {
      if (span.delimiter() && !previous && !merged.isEmpty()) {
        merged.add(new Span(merged.removeLast().from(), span.to(), true));
      } else {
        merged.add(span);
      }
      previous = span.delimiter();
    }
    return merged;
  }

  private static List<Span> withNext(List<Span> spans) {
    List<Span> merged = new ArrayList<>();
    boolean next = false;
    for (Span span : spans.reversed()) {
      if (span.delimiter() && !next && !merged.isEmpty()) {
        merged.add(new Span(span.from(), merged.removeLast().to(), true));
      } else {
        merged.add(span);
      }
      next = span.delimiter();
    }
    return merged.reversed();
  }

  private static List<Span> contiguous(List<Span> spans) {
    List<Span> merged = new ArrayList<>();
    for (Span span : spans) {
      if (!merged.isEmpty() && merged.getLast().delimiter() == span.delimiter()) {
        merged.add(new Span(merged.removeLast().from(), span.to(), span.delimiter()));
      } else {
        merged.add(span);
      }
    }
    return merged;
  }
}
