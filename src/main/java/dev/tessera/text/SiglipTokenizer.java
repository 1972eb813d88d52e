package dev.tessera.text;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * SigLIP's use of sentencepiece (transformers' {@code SiglipTokenizer}): special tokens are taken
 * as they stand, and what is between them is brought into its canonical form and then cut into
 * pieces.
 */
final class SiglipTokenizer implements Tokenizer {
  private final SentencePieceTokenizer pieces;
  private final AddedTokens special;
  private final Normalizer canonical;
  private final String unknown;
  private final int unknownLength;
  private final Template template;
  private final int padId;

  /**
   * @param pieces without a space in front of a text
   * @param special found before all else
   * @param canonical what is done to the parts between special tokens
   * @param unknown how the unknown token is spelled
   * @param end the token after each text
   */
  SiglipTokenizer(
      SentencePieceTokenizer pieces,
      List<AddedTokens.Token> special,
      Normalizer canonical,
      String unknown,
      int end,
      int padId) {
    this.pieces = pieces;
    this.special = new AddedTokens(special, new Normalizer.None());
    this.canonical = canonical;
    this.unknown = unknown;
    this.unknownLength = pieces.encodePlain(unknown).length;
    this.template = Template.endingOnce(end);
    this.padId = padId;
  }

  @Override
  public Encoding encode(String text, @Nullable String pair, int limit) {
    return template.encode(encodePlain(text), pair == null ? null : encodePlain(pair), limit);
  }

  @Override
  public int[] encodePlain(String text) {
    String space = SentencePieceNormalizer.SPACE;
    Ids ids = new Ids();
    for (AddedTokens.Part part : special.split(space + text.replace(space, " "))) {
      if (part.isToken()) {
        ids.add(part.id());
      } else {
        ids.addAll(between(part.text()));
      }
    }
    return ids.toArray();
  }

  /**
   * The pieces of a part between special tokens. sentencepiece removes a space that a text begins
   * with, so the spelling of the unknown token goes in front, and its pieces are taken off again.
   */
  private int[] between(String part) {
    int[] ids = pieces.encodePlain(unknown + canonical.apply(part));
    return ids.length < unknownLength ? ids : Arrays.copyOfRange(ids, unknownLength, ids.length);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecial) {
    return pieces.decode(ids, skipSpecial);
  }

  @Override
  public int vocabularySize() {
    return pieces.vocabularySize();
  }

  @Override
  public @Nullable String token(int id) {
    return pieces.token(id);
  }

  @Override
  public int id(String token) {
    return pieces.id(token);
  }

  @Override
  public int padId() {
    return padId;
  }

  @Override
  public int maxLength() {
    return pieces.maxLength();
  }
}
