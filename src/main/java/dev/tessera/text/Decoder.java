package dev.tessera.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How tokens are put together to a text, with the meanings and names that the decoders of a {@code
 * tokenizer.json} have: each turns a list of strings into another one, and what is left at the end
 * is joined.
 */
sealed interface Decoder {
  List<String> apply(List<String> tokens);

  /** A space between tokens. */
  record Spaces() implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return List.of(String.join(" ", tokens));
    }
  }

  /** One after the other. */
  record Sequence(List<Decoder> parts) implements Decoder {
    public Sequence {
      parts = List.copyOf(parts);
    }

    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = tokens;
      for (Decoder part : parts) {
        result = part.apply(result);
      }
      return result;
    }
  }

  /**
   * BERT's words.
   *
   * @param prefix what marks a token that goes on within a word
   * @param cleanup whether the spaces before punctuation are removed
   */
  record Words(String prefix, boolean cleanup) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> words = new ArrayList<>(tokens.size());
      for (String token : tokens) {
        String word =
            words.isEmpty()
                ? token
                : token.startsWith(prefix) ? token.substring(prefix.length()) : " " + token;
        words.add(cleanup ? clean(word) : word);
      }
      return words;
    }
  }

  private static String clean(String word) {
    return word.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" do not", " don't")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }

  /** The bytes that {@link ByteLetters} stand for, as UTF-8. */
  record Bytes() implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (String token : tokens) {
        ByteLetters.decode(token, bytes);
      }
      return List.of(bytes.toString(StandardCharsets.UTF_8));
    }
  }

  /** Tokens such as {@code <0xE4>} as the bytes they stand for. */
  record ByteFallback() implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = new ArrayList<>(tokens.size());
      ByteArrayOutputStream run = new ByteArrayOutputStream();
      for (String token : tokens) {
        int value = BytePieces.value(token);
        if (value >= 0) {
          run.write(value);
        } else {
          if (run.size() > 0) {
            result.add(BytePieces.text(run));
            run.reset();
          }
          result.add(token);
        }
      }
      if (run.size() > 0) {
        result.add(BytePieces.text(run));
      }
      return result;
    }
  }

  /**
   * Spaces for the sign that stands for them.
   *
   * @param dropFirst whether those of the first token are dropped
   */
  record Metaspace(String sign, boolean dropFirst) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = new ArrayList<>(tokens.size());
      for (String token : tokens) {
        result.add(token.replace(sign, result.isEmpty() && dropFirst ? "" : " "));
      }
      return result;
    }
  }

  /** A space for the mark at the end of a word, and none after the last. */
  record Suffixes(String suffix) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = new ArrayList<>(tokens.size());
      for (int i = 0; i < tokens.size(); i++) {
        result.add(tokens.get(i).replace(suffix, i == tokens.size() - 1 ? "" : " "));
      }
      return result;
    }
  }

  /** All as one. */
  record Fuse() implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return List.of(String.join("", tokens));
    }
  }

  /** Replaces whatever the pattern finds in a token. */
  record Replace(Pattern pattern, String content) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return tokens.stream()
          .map(token ->
              Patterns.guarded(
                  pattern, token, m -> m.replaceAll(Matcher.quoteReplacement(content))))
          .toList();
    }
  }

  /** Removes up to so many of a character at the ends of each token. */
  record Strip(char content, int start, int stop) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return tokens.stream().map(this::strip).toList();
    }

    private String strip(String token) {
      int from = 0;
      int to = token.length();
      while (from < Math.min(start, token.length()) && token.charAt(from) == content) {
        from++;
      }
      while (token.length() - to < stop && to > from && token.charAt(to - 1) == content) {
        to--;
      }
      return token.substring(from, to);
    }
  }

  /** CLIP's: bytes, a space for the mark at the end of a word, and none at the ends. */
  record Clip(String suffix) implements Decoder {
    @Override
    public List<String> apply(List<String> tokens) {
      String text = new Bytes().apply(tokens).getFirst();
      return List.of(text.replace(suffix, " ").strip());
    }
  }
}
