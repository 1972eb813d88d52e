package dev.tessera.data;

import java.util.regex.Matcher;
import java.util.regex.PatternSyntaxException;

/**
 * Which images resemble each other so much (frames of one film, photographs of one person) that
 * they must not be trained and tested on at the same time.
 */
public sealed interface Grouping {
  /** The group of {@code image}; images that no rule covers are groups of their own. */
  String group(LabelledImage image);

  /** Every image for itself. */
  record None() implements Grouping {
    @Override
    public String group(LabelledImage image) {
      return image.id();
    }
  }

  /** As the group column of a CSV file says. */
  record Column() implements Grouping {
    @Override
    public String group(LabelledImage image) {
      return image.group() == null ? image.id() : image.group();
    }
  }

  /** What {@code pattern} finds in the path: its first group in parentheses, or all of it. */
  record Pattern(java.util.regex.Pattern pattern) implements Grouping {
    @Override
    public String group(LabelledImage image) {
      Matcher matcher = pattern.matcher(image.id());
      if (!matcher.find()) {
        return image.id();
      }
      String group = matcher.groupCount() > 0 ? matcher.group(1) : matcher.group();
      return group == null ? image.id() : group;
    }
  }

  /** The file name up to the first {@code separator}. */
  record Prefix(String separator) implements Grouping {
    @Override
    public String group(LabelledImage image) {
      String stem = stem(image.id());
      int end = stem.indexOf(separator);
      return end > 0 ? stem.substring(0, end) : stem;
    }
  }

  /**
   * Blocks of {@code size} consecutive numbers, the last number in the file name, whatever the
   * class: cameras number what they see one after the other.
   */
  record NumberBlocks(int size) implements Grouping {
    public NumberBlocks {
      if (size < 1) {
        throw new IllegalArgumentException("a block needs at least one number, not " + size);
      }
    }

    @Override
    public String group(LabelledImage image) {
      String stem = stem(image.id());
      int end = stem.length();
      while (end > 0 && !isDigit(stem.charAt(end - 1))) {
        end--;
      }
      int start = end;
      while (start > 0 && isDigit(stem.charAt(start - 1))) {
        start--;
      }
      if (start == end) {
        return image.id();
      }
      // The last 15 digits: more than any counter has, and a long holds them.
      long number = Long.parseLong(stem.substring(Math.max(start, end - 15), end));
      return stem.substring(0, start) + number / size;
    }

    private static boolean isDigit(char c) {
      return c >= '0' && c <= '9';
    }
  }

  private static String stem(String id) {
    String name = id.substring(id.lastIndexOf('/') + 1);
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  /**
   * The grouping that {@code text} says: {@code none}, {@code column}, {@code regex:EXPRESSION},
   * {@code prefix:SEPARATOR} or {@code blocks:SIZE}.
   *
   * @throws IllegalArgumentException if it says none of these
   */
  static Grouping parse(String text) {
    String value = text.substring(text.indexOf(':') + 1);
    try {
      if (text.equals("none")) {
        return new None();
      } else if (text.equals("column")) {
        return new Column();
      } else if (text.startsWith("regex:")) {
        return new Pattern(java.util.regex.Pattern.compile(value));
      } else if (text.startsWith("prefix:") && !value.isEmpty()) {
        return new Prefix(value);
      } else if (text.startsWith("blocks:") && Integer.parseInt(value) > 0) {
        return new NumberBlocks(Integer.parseInt(value));
      }
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "\"%s\" is no regular expression (%s)".formatted(value, e.getDescription()), e);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("\"" + value + "\" is no size of a block", e);
    }
    throw new IllegalArgumentException(
        "\"%s\" is no grouping; write none, column, regex:EXPRESSION, prefix:_ or blocks:100"
            .formatted(text));
  }
}
