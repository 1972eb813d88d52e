package dev.tessera.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer in the order of Hugging Face's <a
 * href="https://github.com/huggingface/tokenizers">tokenizers</a>: added tokens are found, what is
 * between them is normalised and cut into words, a subword model takes the words apart, and a
 * template puts special tokens around the result.
 */
final class PipelineTokenizer implements Tokenizer {
  /**
   * The stages.
   *
   * @param padId -1 for none
   */
  record Stages(
      List<AddedTokens.Token> added,
      Normalizer normalizer,
      PreTokenizer preTokenizer,
      SubwordModel model,
      Template template,
      Decoder decoder,
      int padId,
      int maxLength) {
    Stages {
      added = List.copyOf(added);
    }
  }

  private final Stages stages;
  private final Vocabulary vocabulary;
  private final AddedTokens verbatim;
  private final AddedTokens normalized;
  private final Set<Integer> special = new HashSet<>();

  PipelineTokenizer(Stages stages) {
    this.stages = stages;
    List<AddedTokens.Token> added = stages.added();
    verbatim =
        new AddedTokens(
            added.stream().filter(token -> !token.normalized()).toList(), new Normalizer.None());
    normalized =
        new AddedTokens(
            added.stream().filter(AddedTokens.Token::normalized).toList(), stages.normalizer());
    Map<String, Integer> ids = new HashMap<>();
    for (AddedTokens.Token token : added) {
      ids.put(token.content(), token.id());
      if (token.special()) {
        special.add(token.id());
      }
    }
    vocabulary = stages.model().vocabulary().with(ids);
  }

  /** The same tokenizer that fills up batches with another id. */
  PipelineTokenizer withPadId(int id) {
    return new PipelineTokenizer(
        new Stages(
            stages.added(),
            stages.normalizer(),
            stages.preTokenizer(),
            stages.model(),
            stages.template(),
            stages.decoder(),
            id,
            stages.maxLength()));
  }

  @Override
  public Encoding encode(String text, @Nullable String pair, int limit) {
    return stages
        .template()
        .encode(encodePlain(text), pair == null ? null : encodePlain(pair), limit);
  }

  @Override
  public int[] encodePlain(String text) {
    Ids ids = new Ids();
    for (AddedTokens.Part part : verbatim.split(text)) {
      if (part.isToken()) {
        ids.add(part.id());
        continue;
      }
      for (AddedTokens.Part inner : normalized.split(stages.normalizer().apply(part.text()))) {
        if (inner.isToken()) {
          ids.add(inner.id());
        } else {
          words(inner.text(), part.from() == 0 && inner.from() == 0, ids);
        }
      }
    }
    return ids.toArray();
  }

  private void words(String text, boolean first, Ids ids) {
    for (PreTokenizer.Piece piece :
        stages.preTokenizer().apply(new PreTokenizer.Piece(text, first))) {
      if (!piece.text().isEmpty()) {
        stages.model().encode(piece.text(), ids);
      }
    }
  }

  @Override
  public String decode(int[] ids, boolean skipSpecial) {
    List<String> tokens = new ArrayList<>(ids.length);
    for (int id : ids) {
      String token = vocabulary.token(id);
      if (token == null) {
        throw new IllegalArgumentException(
            "id " + id + " is none of the " + vocabulary.size() + " of the vocabulary");
      }
      if (!skipSpecial || !special.contains(id)) {
        tokens.add(token);
      }
    }
    return String.join("", stages.decoder().apply(tokens));
  }

  @Override
  public int vocabularySize() {
    return vocabulary.size();
  }

  @Override
  public @Nullable String token(int id) {
    return vocabulary.token(id);
  }

  @Override
  public int id(String token) {
    return vocabulary.id(token);
  }

  @Override
  public int padId() {
    return stages.padId();
  }

  @Override
  public int maxLength() {
    return stages.maxLength();
  }
}
