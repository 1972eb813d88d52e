package dev.tessera.cli;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.tessera.data.CsvCell;
import dev.tessera.search.Index.Hit;
import java.util.List;
import java.util.Locale;

/** How what a search has found is written, one query after the other. */
interface HitFormat {
  /** What comes before the first query; may be empty. */
  default String header() {
    return "";
  }

  /**
   * One query's images.
   *
   * @param hits best first
   */
  void append(StringBuilder out, String query, List<Hit> hits);

  static HitFormat of(OutputOptions.Format format) {
    return switch (format) {
      case TABLE -> new Table();
      case CSV -> new Csv();
      case JSONL -> new JsonLines();
    };
  }

  /** For people: score and file, below the query's name. */
  final class Table implements HitFormat {
    private boolean first = true;

    @Override
    public void append(StringBuilder out, String query, List<Hit> hits) {
      out.append(first ? "" : "\n").append(Terminal.printable(query)).append('\n');
      first = false;
      for (Hit hit : hits) {
        out.append(String.format(Locale.ROOT, "  %7.4f  ", hit.score()))
            .append(Terminal.printable(hit.entry().file().toString()))
            .append('\n');
      }
      if (hits.isEmpty()) {
        out.append("  nothing found\n");
      }
    }
  }

  /** RFC 4180: one row an image. */
  final class Csv implements HitFormat {
    @Override
    public String header() {
      return "query,rank,score,file,label\r\n";
    }

    @Override
    public void append(StringBuilder out, String query, List<Hit> hits) {
      int rank = 1;
      for (Hit hit : hits) {
        CsvCell.append(out, query);
        out.append(',').append(rank++).append(',').append(hit.score()).append(',');
        CsvCell.append(out, hit.entry().file().toString());
        out.append(',');
        CsvCell.append(out, hit.entry().label());
        out.append("\r\n");
      }
    }
  }

  /** One object a query: {@code {"query": ..., "hits": [{"file": ..., "score": ...}, ...]}}. */
  final class JsonLines implements HitFormat {
    private static final JsonStringEncoder STRINGS = JsonStringEncoder.getInstance();

    @Override
    public void append(StringBuilder out, String query, List<Hit> hits) {
      out.append("{\"query\": \"");
      STRINGS.quoteAsString(query, out);
      out.append("\", \"hits\": [");
      String separator = "";
      for (Hit hit : hits) {
        out.append(separator).append("{\"file\": \"");
        STRINGS.quoteAsString(hit.entry().file().toString(), out);
        out.append("\", \"path\": \"");
        STRINGS.quoteAsString(hit.entry().path(), out);
        out.append("\", \"label\": \"");
        STRINGS.quoteAsString(hit.entry().label(), out);
        out.append("\", \"score\": ").append(hit.score()).append('}');
        separator = ", ";
      }
      out.append("]}\n");
    }
  }
}
