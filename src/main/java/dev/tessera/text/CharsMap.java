package dev.tessera.text;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * sentencepiece's compiled table of what characters are replaced by ({@code precompiled_charsmap}):
 * four bytes of length, a double-array trie over UTF-8 (in the layout of darts-clone), and the
 * replacements, each ended by a zero byte.
 */
final class CharsMap {
  private static final ValueLayout.OfInt UNIT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Pattern GRAPHEME = Pattern.compile("\\X");

  /** A grapheme of so many bytes is looked up as a whole first, a longer one is not. */
  private static final int SHORT_GRAPHEME = 5;

  private final int[] units;
  private final byte[] replacements;

  /**
   * @throws IllegalArgumentException if the bytes hold no such table
   */
  CharsMap(byte[] blob) {
    MemorySegment bytes = MemorySegment.ofArray(blob);
    long size = blob.length < 4 ? -1 : bytes.get(UNIT, 0) & 0xffff_ffffL;
    if (size < 4 || size % 4 != 0 || size > blob.length - 4) {
      throw new IllegalArgumentException("the table of characters is damaged");
    }
    units = new int[(int) size / 4];
    MemorySegment.copy(bytes, UNIT, 4, units, 0, units.length);
    replacements = new byte[blob.length - 4 - (int) size];
    System.arraycopy(blob, 4 + (int) size, replacements, 0, replacements.length);
  }

  /** What was found: how many bytes of the text, and where their replacement begins; or none. */
  record Match(int length, int replacement) {
    static final Match NONE = new Match(0, 0);
  }

  /** The longest or the shortest entry that the text at {@code from} begins with. */
  Match find(byte[] text, int from, int to, boolean longest) {
    Match match = Match.NONE;
    int node = offset(units[0]);
    for (int i = from; i < to; i++) {
      int label = text[i] & 0xff;
      node ^= label;
      if (node < 0 || node >= units.length || (units[node] & 0x8000_00ff) != label) {
        break;
      }
      int unit = units[node];
      node ^= offset(unit);
      if ((unit >>> 8 & 1) == 1 && node >= 0 && node < units.length) {
        match = new Match(i + 1 - from, units[node] & 0x7fff_ffff);
        if (!longest) {
          break;
        }
      }
    }
    return match;
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  /** The replacement that a match names. */
  byte[] replacement(Match match) {
    int from = Math.min(match.replacement(), replacements.length);
    int to = from;
    while (to < replacements.length && replacements[to] != 0) {
      to++;
    }
    byte[] bytes = new byte[to - from];
    System.arraycopy(replacements, from, bytes, 0, bytes.length);
    return bytes;
  }

  /**
   * The text as the library "tokenizers" normalises it with this table, which is not how
   * sentencepiece does: each grapheme of at most five bytes is looked up, then each character of
   * those that were not found, and of several entries the shortest counts.
   */
  String applyByGraphemes(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length() + 16);
    Matcher graphemes = GRAPHEME.matcher(text);
    while (graphemes.find()) {
      String grapheme = graphemes.group();
      byte[] bytes = grapheme.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > SHORT_GRAPHEME || !replace(bytes, out)) {
        for (int i = 0; i < grapheme.length(); ) {
          int end = grapheme.offsetByCodePoints(i, 1);
          byte[] character = grapheme.substring(i, end).getBytes(StandardCharsets.UTF_8);
          if (!replace(character, out)) {
            out.writeBytes(character);
          }
          i = end;
        }
      }
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private boolean replace(byte[] chunk, ByteArrayOutputStream out) {
    Match match = chunk[0] == 0 ? Match.NONE : find(chunk, 0, chunk.length, false);
    if (match.length() == 0) {
      return false;
    }
    out.writeBytes(replacement(match));
    return true;
  }
}
