package dev.tessera.data;

/** A cell of a table with commas, quoted where RFC 4180 asks for it. */
public final class CsvCell {
  private CsvCell() {}

  public static void append(StringBuilder out, String text) {
    boolean plain = true;
    for (int i = 0; i < text.length() && plain; i++) {
      char c = text.charAt(i);
      plain = c != ',' && c != '"' && c != '\r' && c != '\n';
    }
    if (plain) {
      out.append(text);
    } else {
      out.append('"').append(text.replace("\"", "\"\"")).append('"');
    }
  }
}
