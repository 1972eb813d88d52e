package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.report.HtmlPage;
import dev.tessera.report.Picture;
import dev.tessera.report.Thumbnails;
import dev.tessera.search.Duplicates;
import dev.tessera.search.Index.Hit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What was found, as a page with small pictures. */
final class HitGallery {
  /** Longer side of a picture in the page, in pixels. */
  static final int SIDE = 192;

  private record Found(String query, List<HtmlPage.Tile> tiles, int missing) {}

  private final Decoder decoder;
  private final List<Found> found = new ArrayList<>();

  HitGallery(Decoder decoder) {
    this.decoder = decoder;
  }

  /** Adds a query, whose own picture comes first, with an outline. */
  void add(String query, boolean image, List<Hit> hits) {
    List<HtmlPage.Tile> tiles = new ArrayList<>();
    int missing = 0;
    Picture own = image ? thumbnail(Path.of(query)) : null;
    if (own != null) {
      tiles.add(new HtmlPage.Tile(own, Path.of(query).getFileName().toString(), "query", true));
    }
    for (Hit hit : hits) {
      Picture picture = thumbnail(hit.entry().file());
      if (picture == null) {
        missing++;
      } else {
        tiles.add(
            new HtmlPage.Tile(
                picture,
                hit.entry().path(),
                String.format(Locale.ROOT, "%.4f", hit.score()),
                false));
      }
    }
    found.add(new Found(query, tiles, missing));
  }

  /** Adds images that are the same, the one to keep with an outline. */
  void add(Duplicates.Group group) {
    List<HtmlPage.Tile> tiles = new ArrayList<>();
    int missing = 0;
    for (Duplicates.Member member : group.members()) {
      Picture picture = thumbnail(member.entry().file());
      if (picture == null) {
        missing++;
      } else {
        tiles.add(
            new HtmlPage.Tile(
                picture,
                member.entry().path(),
                GroupFormat.word(group, member)
                    + String.format(Locale.ROOT, " %.4f", member.score()),
                member.equals(group.kept())));
      }
    }
    found.add(new Found(group.kept().entry().path(), tiles, missing));
  }

  private @Nullable Picture thumbnail(Path file) {
    try {
      return Thumbnails.of(decoder.decode(file), SIDE);
    } catch (ImageException e) {
      return null;
    }
  }

  String page(String title) {
    HtmlPage page = new HtmlPage(title);
    for (Found one : found) {
      page.heading(one.query);
      if (one.missing > 0) {
        page.paragraph(one.missing + " images that were found can no longer be read.");
      }
      page.gallery(one.tiles);
    }
    return page.html();
  }
}
