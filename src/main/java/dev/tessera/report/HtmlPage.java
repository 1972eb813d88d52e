package dev.tessera.report;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One page that stands for itself: style and pictures are inside, nothing is requested, no script
 * runs, and a Content-Security-Policy says so. It follows the reader's light or dark mode and the
 * width of a phone. All text is escaped here.
 */
public final class HtmlPage {
  private static final String STYLE =
      """
      :root { color-scheme: light dark; --back: #fff; --text: #1f2328; --muted: #59636e;
        --line: #d9dee4; --soft: #f5f7f9; --mark: #c2410c; }
      @media (prefers-color-scheme: dark) {
        :root { --back: #16191d; --text: #e6e8eb; --muted: #9aa4af; --line: #2d333b;
          --soft: #1d2126; --mark: #ff8a3d; } }
      * { box-sizing: border-box; }
      body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 66rem; background: var(--back);
        color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
      h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
      h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
      p { max-width: 44rem; margin: .5rem 0; overflow-wrap: anywhere; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
      th, td { padding: .3rem .75rem; text-align: left; border-bottom: 1px solid var(--line);
        overflow-wrap: anywhere; }
      th { color: var(--muted); font-weight: 600; white-space: nowrap; }
      td:not(.n) { min-width: 6.5rem; }
      .n { text-align: right; white-space: nowrap; }
      dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
        gap: .6rem; margin: 1rem 0; }
      dl div { background: var(--soft); border-radius: .5rem; padding: .55rem .8rem; }
      dt { color: var(--muted); font-size: .82rem; }
      dd { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
      figure { margin: 1rem 0; }
      figure img { max-width: 100%; height: auto; }
      .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
        gap: .8rem; }
      .tile { background: var(--soft); border: 2px solid var(--line); border-radius: .5rem;
        padding: .5rem; font-size: .82rem; line-height: 1.35; overflow-wrap: anywhere; }
      .tile.marked { border-color: var(--mark); }
      .tile img { display: block; width: 100%; height: 7.5rem; object-fit: contain;
        margin-bottom: .4rem; }
      .tile img.tiny { image-rendering: pixelated; }
      .tile b { display: block; font-weight: 600; }
      .tile span { color: var(--muted); }
      """;

  /** Cells that are set to the right. */
  private static final Pattern NUMBER = Pattern.compile("[-+−]?[0-9][0-9,.]*([ \u00a0]?%)?|–|-");

  /** Pictures with both sides shorter are enlarged with hard edges. */
  private static final int TINY = 64;

  /**
   * One picture of a gallery.
   *
   * @param title a line in bold
   * @param note a line in gray
   * @param marked whether its frame stands out
   */
  public record Tile(Picture picture, String title, String note, boolean marked) {}

  private final StringBuilder html = new StringBuilder(1 << 16);

  /** A page with a title and nothing else yet. */
  public HtmlPage(String title) {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';")
        .append(" img-src data:; style-src 'unsafe-inline'\">\n")
        // An address of its own, or browsers ask the server for one.
        .append("<link rel=\"icon\" href=\"data:,\">\n<title>")
        .append(escape(title))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append("</style>\n</head>\n<body>\n<h1>")
        .append(escape(title))
        .append("</h1>\n");
  }

  public HtmlPage heading(String text) {
    html.append("<h2>").append(escape(text)).append("</h2>\n");
    return this;
  }

  public HtmlPage paragraph(String text) {
    html.append("<p>").append(escape(text)).append("</p>\n");
    return this;
  }

  /** A few figures with their names, side by side where there is room. */
  public HtmlPage facts(Map<String, String> facts) {
    html.append("<dl>\n");
    facts.forEach((name, value) ->
        html.append("<div><dt>")
            .append(escape(name))
            .append("</dt><dd>")
            .append(escape(value))
            .append("</dd></div>\n"));
    html.append("</dl>\n");
    return this;
  }

  /**
   * A table that scrolls sideways where it is too wide; columns of numbers are set to the right.
   *
   * @param header one for each column; all empty for none
   */
  public HtmlPage table(List<String> header, List<List<String>> rows) {
    boolean[] numbers = new boolean[header.size()];
    for (int column = 0; column < numbers.length; column++) {
      numbers[column] = isNumber(rows, column);
    }
    html.append("<div class=\"scroll\"><table>\n");
    if (!header.stream().allMatch(String::isEmpty)) {
      html.append("<thead>");
      row("th", header, numbers);
      html.append("</thead>\n");
    }
    html.append("<tbody>\n");
    for (List<String> row : rows) {
      row("td", row, numbers);
      html.append('\n');
    }
    html.append("</tbody></table></div>\n");
    return this;
  }

  private void row(String tag, List<String> cells, boolean[] numbers) {
    html.append("<tr>");
    for (int column = 0; column < cells.size(); column++) {
      html.append('<').append(tag).append(numbers[column] ? " class=\"n\">" : ">");
      html.append(escape(cells.get(column))).append("</").append(tag).append('>');
    }
    html.append("</tr>");
  }

  private static boolean isNumber(List<List<String>> rows, int column) {
    return !rows.isEmpty()
        && rows.stream().allMatch(row -> NUMBER.matcher(row.get(column)).matches());
  }

  /**
   * A large picture.
   *
   * @param alternative what it shows, for those who cannot see it
   * @param dark shown instead in dark mode
   */
  public HtmlPage figure(String alternative, Picture light, Picture dark) {
    html.append("<figure><picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"")
        .append(dark.dataUri())
        .append("\">");
    image(light, alternative, "");
    html.append("</picture></figure>\n");
    return this;
  }

  /** Pictures in as many columns as fit. */
  public HtmlPage gallery(List<Tile> tiles) {
    html.append("<div class=\"gallery\">\n");
    for (Tile tile : tiles) {
      Picture picture = tile.picture();
      html.append(tile.marked() ? "<div class=\"tile marked\">" : "<div class=\"tile\">");
      image(
          picture,
          tile.title(),
          picture.width() < TINY && picture.height() < TINY ? " class=\"tiny\"" : "");
      html.append("<b>").append(escape(tile.title())).append("</b><span>");
      html.append(escape(tile.note())).append("</span></div>\n");
    }
    html.append("</div>\n");
    return this;
  }

  private void image(Picture picture, String alternative, String attributes) {
    html.append("<img src=\"")
        .append(picture.dataUri())
        .append("\" width=\"")
        .append(picture.width())
        .append("\" height=\"")
        .append(picture.height())
        .append("\" alt=\"")
        .append(escape(alternative))
        .append('"')
        .append(attributes)
        .append('>');
  }

  /** The page so far, complete; to be written as UTF-8. */
  public String html() {
    return html + "</body>\n</html>\n";
  }

  /** {@code text} as it may stand between tags and in quoted attributes. */
  static String escape(String text) {
    StringBuilder safe = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> safe.append("&amp;");
        case '<' -> safe.append("&lt;");
        case '>' -> safe.append("&gt;");
        case '"' -> safe.append("&quot;");
        case '\'' -> safe.append("&#39;");
        // Not allowed in HTML, and an unpaired surrogate has no UTF-8.
        default ->
            safe.append(
                (Character.isISOControl(c) && c != '\n' && c != '\t') || isLone(text, i)
                    ? '\ufffd'
                    : c);
      }
    }
    return safe.toString();
  }

  private static boolean isLone(String text, int i) {
    char c = text.charAt(i);
    return (Character.isHighSurrogate(c)
            && !(i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))))
        || (Character.isLowSurrogate(c)
            && !(i > 0 && Character.isHighSurrogate(text.charAt(i - 1))));
  }
}
