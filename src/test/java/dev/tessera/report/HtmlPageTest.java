package dev.tessera.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class HtmlPageTest {
  private static final String EVIL = "<script>alert('x')</script>\"&\u0000\ud800";
  private static final String TAMED =
      "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\ufffd\ufffd";

  private static final Picture PICTURE = new Picture("image/png", new byte[] {1, 2, 3}, 28, 28);

  private static String page() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(EVIL, EVIL);
    return new HtmlPage(EVIL)
        .heading(EVIL)
        .paragraph(EVIL)
        .facts(facts)
        .table(List.of(EVIL, "count"), List.of(List.of(EVIL, "12.5 %"), List.of("b", "–")))
        .figure(EVIL, PICTURE, PICTURE)
        .gallery(List.of(new HtmlPage.Tile(PICTURE, EVIL, EVIL, true)))
        .html();
  }

  @Test
  void allTextIsEscaped() {
    String html = page();
    assertThat(html).doesNotContain("<script", "alert('x')", "\u0000", "\ud800");
    // Title twice; heading, paragraph, fact twice, header, cell, and the pictures' and tile's
    // texts.
    assertThat(html.split(Pattern.quote(TAMED), -1)).hasSize(1 + 12);
    assertThat(new String(html.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
        .isEqualTo(html);
  }

  @Test
  void nothingIsRequested() {
    String html = page();
    assertThat(html).doesNotContain("http:", "https:", "//", "url(", "@import");
    assertThat(html).contains("default-src 'none'");
    assertThat(Pattern.compile("(src|srcset|href)=\"(?!data:)").matcher(html).find()).isFalse();
    assertThat(html).contains("data:image/png;base64,AQID");
  }

  @Test
  void columnsOfNumbersAreSetToTheRight() {
    String html = page();
    assertThat(html).contains("<td class=\"n\">12.5 %</td>", "<td class=\"n\">–</td>");
    assertThat(html).contains("<th class=\"n\">count</th>", "<td>b</td>");
  }

  @Test
  void whatIsTinyKeepsItsPixels() {
    assertThat(page()).contains("class=\"tiny\"", "class=\"tile marked\"");
    Picture photo = new Picture("image/jpeg", new byte[0], 96, 70);
    assertThat(new HtmlPage("t").gallery(List.of(new HtmlPage.Tile(photo, "a", "b", false))).html())
        .doesNotContain("class=\"tiny\"", "tile marked\"");
  }

  @Test
  void aPlotKnowsItsSizeOnThePage() {
    byte[] png = TrainingCurves.png("", List.of(), Theme.LIGHT);
    Picture plot = Picture.ofPlot(png);
    assertThat(plot.width()).isEqualTo(760);
    assertThat(plot.height()).isEqualTo(260);
  }

  @Test
  void pairsOfSurrogatesStay() {
    assertThat(HtmlPage.escape("Katze 🐈 \n\t")).isEqualTo("Katze 🐈 \n\t");
    assertThat(HtmlPage.escape("\udc08a")).isEqualTo("\ufffda");
  }
}
