package dev.tessera.text;

import dev.tessera.checkpoint.CheckpointException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens and their ids. */
final class Vocabulary {
  /** More than any published vocabulary has. */
  static final int MAX_SIZE = 1 << 22;

  private final Map<String, Integer> ids;
  private final @Nullable String[] tokens;

  /** Every id is from 0 to {@link #MAX_SIZE} − 1. */
  private Vocabulary(Map<String, Integer> ids) {
    int size = 0;
    for (int id : ids.values()) {
      size = Math.max(size, id + 1);
    }
    this.ids = ids;
    this.tokens = new String[size];
    ids.forEach((token, id) -> tokens[id] = token);
  }

  /** From a JSON object {@code {"token": id}}. */
  static Vocabulary of(Path file, Map<String, @Nullable Object> json) throws CheckpointException {
    Map<String, Integer> ids = HashMap.newHashMap(json.size());
    for (Map.Entry<String, @Nullable Object> entry : json.entrySet()) {
      if (!(entry.getValue() instanceof Long id) || id < 0 || id >= MAX_SIZE) {
        throw new CheckpointException(
            file,
            "has a vocabulary in which \""
                + entry.getKey()
                + "\" has no id from 0 to "
                + (MAX_SIZE - 1)
                + "; replace it by an intact copy");
      }
      ids.put(entry.getKey(), id.intValue());
    }
    return new Vocabulary(ids);
  }

  /** Tokens with their places in the list as ids; of two that are equal the last counts. */
  static Vocabulary of(Path file, Iterable<String> tokens) throws CheckpointException {
    Map<String, Integer> ids = new HashMap<>();
    int id = 0;
    for (String token : tokens) {
      if (id == MAX_SIZE) {
        throw new CheckpointException(
            file, "has more than " + MAX_SIZE + " tokens; check that this is the right file");
      }
      ids.put(token, id++);
    }
    return new Vocabulary(ids);
  }

  /** This vocabulary and more tokens, which may have ids already. */
  Vocabulary with(Map<String, Integer> more) {
    if (more.isEmpty() || ids.entrySet().containsAll(more.entrySet())) {
      return this;
    }
    Map<String, Integer> all = new HashMap<>(ids);
    all.putAll(more);
    return new Vocabulary(all);
  }

  /** One more than the largest id. */
  int size() {
    return tokens.length;
  }

  /** The id of a token, or -1. */
  int id(String token) {
    Integer id = ids.get(token);
    return id == null ? -1 : id;
  }

  /** The token with an id, or null. */
  @Nullable String token(int id) {
    return id >= 0 && id < tokens.length ? tokens[id] : null;
  }

  /** Characters of the longest token. */
  int longest() {
    int longest = 0;
    for (String token : ids.keySet()) {
      longest = Math.max(longest, token.length());
    }
    return longest;
  }
}
