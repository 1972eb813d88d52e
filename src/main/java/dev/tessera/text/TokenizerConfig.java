package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code tokenizer_config.json} and {@code special_tokens_map.json} of a model directory say;
 * both may be missing.
 */
final class TokenizerConfig {
  /** Larger lengths are transformers' way to say that there is no limit. */
  private static final double LARGEST_LENGTH = 1e6;

  private final Fields config;
  private final Fields specialTokens;

  private TokenizerConfig(Fields config, Fields specialTokens) {
    this.config = config;
    this.specialTokens = specialTokens;
  }

  static TokenizerConfig read(Path directory) throws IOException {
    return new TokenizerConfig(
        fields(directory.resolve("tokenizer_config.json")),
        fields(directory.resolve("special_tokens_map.json")));
  }

  private static Fields fields(Path file) throws IOException {
    return new Fields(file, "", Files.exists(file) ? Json.readObject(file) : Map.of());
  }

  /** The class in transformers, such as {@code BertTokenizer}; empty if it is not named. */
  String tokenizerClass() throws CheckpointException {
    String name = config.text("tokenizer_class", "");
    return name.endsWith("Fast") ? name.substring(0, name.length() - 4) : name;
  }

  boolean flag(String key, boolean fallback) throws CheckpointException {
    return config.flag(key, fallback);
  }

  /** The special token called {@code key}, such as {@code pad_token}, or {@code fallback}. */
  @Nullable String token(String key, @Nullable String fallback) throws CheckpointException {
    for (Fields fields : new Fields[] {config, specialTokens}) {
      Object value = fields.values().get(key);
      if (value instanceof String text) {
        return text;
      }
      if (value != null) {
        Fields token = fields.object(key);
        return token == null ? fallback : token.text("content");
      }
    }
    return fallback;
  }

  /** How the tokens of {@code added_tokens_decoder} are spelled. */
  List<String> addedTokens() throws CheckpointException {
    Fields byId = config.object("added_tokens_decoder");
    List<String> tokens = new ArrayList<>();
    if (byId == null) {
      return tokens;
    }
    for (String id : byId.values().keySet()) {
      Fields token = byId.object(id);
      if (token != null) {
        tokens.add(token.text("content"));
      }
    }
    return tokens;
  }

  /** {@code model_max_length}, or {@link Tokenizer#UNLIMITED}. */
  int maxLength() throws CheckpointException {
    Object length = config.values().get("model_max_length");
    if (length == null
        || (length instanceof Number number && number.doubleValue() > LARGEST_LENGTH)) {
      return Tokenizer.UNLIMITED;
    }
    return config.integer("model_max_length", 0);
  }
}
