package dev.tessera.text;

import org.jspecify.annotations.Nullable;

/**
 * Turns text into the ids of tokens that a model was trained on, and ids into text.
 *
 * <p>Tokenizers do not change and may be used by several threads. {@link Tokenizers} reads them.
 */
public interface Tokenizer {
  /** No limit on the number of tokens. */
  int UNLIMITED = Integer.MAX_VALUE;

  /**
   * The tokens of a text, or of two that belong together, with the special tokens around them that
   * the model expects.
   *
   * @param pair the second text, such as an answer to a question, or null
   * @param limit most tokens, special ones included: what is beyond is cut off, of a pair first
   *     from the longer text
   */
  Encoding encode(String text, @Nullable String pair, int limit);

  /** All tokens of a text, with the special tokens around it. */
  default Encoding encode(String text) {
    return encode(text, null, UNLIMITED);
  }

  /** All tokens of a text that are not special. */
  int[] encodePlain(String text);

  /**
   * The text that tokens stand for.
   *
   * @param skipSpecial whether special tokens are left out
   * @throws IllegalArgumentException if an id is none of the vocabulary's
   */
  String decode(int[] ids, boolean skipSpecial);

  /** One more than the largest id. */
  int vocabularySize();

  /** How the vocabulary spells a token, or null if it has none with that id. */
  @Nullable String token(int id);

  /** The id of a token as the vocabulary spells it, or -1. */
  int id(String token);

  /** The id that fills up shorter texts of a batch; -1 if the tokenizer names none. */
  int padId();

  /** The most tokens that the tokenizer's files ask for, or {@link #UNLIMITED}. */
  int maxLength();
}
