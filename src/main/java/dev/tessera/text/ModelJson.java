package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the subword model of a {@code tokenizer.json}. */
final class ModelJson {
  private ModelJson() {}

  static SubwordModel read(Fields file) throws CheckpointException {
    Fields json = file.object("model");
    if (json == null) {
      throw file.wrong("model", null, "an object");
    }
    try {
      return switch (type(json)) {
        case "WordPiece" -> {
          Vocabulary vocabulary = vocabulary(json);
          yield new WordPiece(
              vocabulary,
              unknown(json, vocabulary),
              json.text("continuing_subword_prefix", "##"),
              json.integer("max_input_chars_per_word", 100));
        }
        case "WordLevel" -> {
          Vocabulary vocabulary = vocabulary(json);
          yield new WordLevel(vocabulary, unknown(json, vocabulary));
        }
        case "BPE" -> bpe(json);
        case "Unigram" -> unigram(json);
        default -> throw json.unsupported("type");
      };
    } catch (IllegalArgumentException e) {
      throw json.wrong(e);
    }
  }

  /** Older files do not say what they are, but their settings do. */
  private static String type(Fields json) throws CheckpointException {
    if (json.has("type")) {
      return json.text("type");
    }
    if (json.has("merges")) {
      return "BPE";
    }
    return json.has("unk_id")
        ? "Unigram"
        : json.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
  }

  private static Vocabulary vocabulary(Fields json) throws CheckpointException {
    Map<String, @Nullable Object> ids = Json.asObject(json.values().get("vocab"));
    if (ids == null) {
      throw json.wrong("vocab", json.values().get("vocab"), "an object");
    }
    return Vocabulary.of(json.file(), ids);
  }

  private static int unknown(Fields json, Vocabulary vocabulary) throws CheckpointException {
    int id = vocabulary.id(json.text("unk_token", "[UNK]"));
    if (id < 0) {
      throw json.wrong("unk_token", json.values().get("unk_token"), "a token of the vocabulary");
    }
    return id;
  }

  private static Bpe bpe(Fields json) throws CheckpointException {
    Vocabulary vocabulary = vocabulary(json);
    List<String[]> merges = new ArrayList<>();
    for (Object merge : json.list("merges")) {
      String[] pair =
          merge instanceof String line
              ? line.split(" ", -1)
              : merge instanceof List<?> list
                      && list.size() == 2
                      && list.getFirst() instanceof String left
                      && list.getLast() instanceof String right
                  ? new String[] {left, right}
                  : new String[0];
      if (pair.length != 2) {
        throw json.wrong("merges", merge, "pairs of tokens");
      }
      merges.add(pair);
    }
    return new Bpe(
        vocabulary,
        merges,
        new Bpe.Settings(
            json.has("unk_token") ? vocabulary.id(json.text("unk_token")) : -1,
            json.text("continuing_subword_prefix", ""),
            json.text("end_of_word_suffix", ""),
            json.flag("fuse_unk", false),
            json.flag("byte_fallback", false),
            json.flag("ignore_merges", false)));
  }

  private static Unigram.Model unigram(Fields json) throws CheckpointException {
    List<?> entries = json.list("vocab");
    List<String> tokens = new ArrayList<>(entries.size());
    double[] scores = new double[entries.size()];
    for (Object entry : entries) {
      if (entry instanceof List<?> pair
          && pair.size() == 2
          && pair.getFirst() instanceof String token
          && pair.getLast() instanceof Number score
          && Double.isFinite(score.doubleValue())) {
        scores[tokens.size()] = score.doubleValue();
        tokens.add(token);
      } else {
        throw json.wrong("vocab", entry, "pairs of a token and its score");
      }
    }
    int unknown = json.integer("unk_id", -1);
    if (unknown < 0 || unknown >= scores.length) {
      throw json.wrong("unk_id", json.values().get("unk_id"), "the place of a token");
    }
    Vocabulary vocabulary = Vocabulary.of(json.file(), tokens);
    return Unigram.Model.of(vocabulary, tokens, scores, unknown, json.flag("byte_fallback", false));
  }
}
