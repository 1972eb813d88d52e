package dev.tessera.text;

import java.util.Arrays;

/**
 * A text as a model takes it.
 *
 * @param ids of the tokens, special ones included
 * @param typeIds which text of a pair each token belongs to, 0 or 1; as long as {@code ids}
 */
@SuppressWarnings("ArrayRecordComponent") // made once and handed on; equality is not asked for
public record Encoding(int[] ids, int[] typeIds) {
  /** How many tokens. */
  public int length() {
    return ids.length;
  }

  @Override
  public String toString() {
    return Arrays.toString(ids);
  }
}
