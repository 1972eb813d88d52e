package dev.tessera.cli;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.tessera.data.CsvCell;
import dev.tessera.search.Duplicates.Group;
import dev.tessera.search.Duplicates.Member;
import java.util.Locale;

/** How groups of images that are the same are written. */
interface GroupFormat {
  /** What comes before the first group; may be empty. */
  default String header() {
    return "";
  }

  /**
   * One group.
   *
   * @param number from 1 on
   */
  void append(StringBuilder out, int number, Group group);

  static GroupFormat of(OutputOptions.Format format) {
    return switch (format) {
      case TABLE -> GroupFormat::table;
      case CSV -> new Csv();
      case JSONL -> GroupFormat::jsonLine;
    };
  }

  /** What becomes of an image, in a word: keep, equal or similar. */
  static String word(Group group, Member member) {
    return member.equals(group.kept()) ? "keep" : member.exact() ? "equal" : "similar";
  }

  private static void table(StringBuilder out, int number, Group group) {
    out.append("group ").append(number).append('\n');
    for (Member member : group.members()) {
      String word = word(group, member);
      out.append("  ").append(word).repeat(' ', 9 - word.length());
      out.append(String.format(Locale.ROOT, "%.4f  ", member.score()))
          .append(Terminal.printable(member.entry().file().toString()))
          .append('\n');
    }
  }

  /** RFC 4180: one row an image. */
  final class Csv implements GroupFormat {
    @Override
    public String header() {
      return "group,what,score,file\r\n";
    }

    @Override
    public void append(StringBuilder out, int number, Group group) {
      for (Member member : group.members()) {
        out.append(number).append(',').append(word(group, member)).append(',');
        out.append(member.score()).append(',');
        CsvCell.append(out, member.entry().file().toString());
        out.append("\r\n");
      }
    }
  }

  private static void jsonLine(StringBuilder out, int number, Group group) {
    out.append("{\"group\": ").append(number).append(", \"images\": [");
    String separator = "";
    for (Member member : group.members()) {
      out.append(separator).append("{\"what\": \"").append(word(group, member));
      out.append("\", \"score\": ").append(member.score()).append(", \"file\": \"");
      JsonStringEncoder.getInstance().quoteAsString(member.entry().file().toString(), out);
      out.append("\"}");
      separator = ", ";
    }
    out.append("]}\n");
  }
}
