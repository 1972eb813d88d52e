package dev.tessera.cli;

import dev.tessera.data.CsvCell;
import dev.tessera.report.HtmlPage;
import dev.tessera.report.Picture;
import dev.tessera.report.ScatterMap;
import dev.tessera.report.Theme;
import dev.tessera.search.Entry;
import dev.tessera.search.Index;
import dev.tessera.search.PrincipalComponents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera map}: a folder of images as points in a plane. */
@Command(
    name = "map",
    description = "Draw a folder of images as points: what is alike lies close together.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera map photos/ --model dinov2-small -o photos.png",
      "  tessera map photos.index -o photos.html",
      "  tessera map photos.index -o photos.csv",
      "",
      "The plane is that of the vectors' two largest principal components. Colours are the folders",
      "in the folder given."
    })
final class MapCommand implements Callable<Integer> {
  /** Labels that get a colour of their own; the others share one. */
  private static final int MOST_LABELS = 29;

  private record Point(Entry entry, double x, double y) {}

  @Parameters(paramLabel = "DIR", description = "A folder with images, or an index of one.")
  private Path path = Path.of("");

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private PoolingOption pooling = new PoolingOption();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "What to write: .png, .html or .csv (path, label, x, y).")
  private Path output = Path.of("");

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    String name = output.toString().toLowerCase(Locale.ROOT);
    ImageInputs.require(
        name.endsWith(".png") || name.endsWith(".html") || name.endsWith(".csv"),
        output + " does not say what to write; end it in .png, .html or .csv");
    try (WorkingIndex working =
        WorkingIndex.open(path, modelOptions, pooling.asked(), inputs, compute, false)) {
      Index index = working.index();
      PrincipalComponents plane =
          PrincipalComponents.of(index.rows(), 2, row -> !index.isRemoved(row));
      List<Point> points = points(index, plane);
      if (name.endsWith(".png")) {
        ResultOutput.write(output, png(points, Theme.LIGHT));
      } else if (name.endsWith(".csv")) {
        ResultOutput.write(output, csv(points));
      } else {
        ResultOutput.write(output, page(index, plane, points));
      }
    }
    return ExitCode.OK;
  }

  private static List<Point> points(Index index, PrincipalComponents plane) throws IOException {
    List<Point> points = new ArrayList<>();
    for (int row = 0; row < index.rowCount(); row++) {
      if (!index.isRemoved(row)) {
        double[] place = plane.project(index.rows().get(row));
        points.add(new Point(index.entry(row), place[0], place.length > 1 ? place[1] : 0));
      }
    }
    return points;
  }

  private byte[] png(List<Point> points, Theme theme) {
    return ScatterMap.png(String.valueOf(path.getFileName()), groups(points), theme);
  }

  private static List<ScatterMap.Group> groups(List<Point> points) {
    Map<String, List<Point>> byLabel = new TreeMap<>();
    for (Point point : points) {
      byLabel.computeIfAbsent(point.entry.label(), label -> new ArrayList<>()).add(point);
    }
    if (byLabel.size() > MOST_LABELS + 1) {
      List<Map.Entry<String, List<Point>>> large = new ArrayList<>(byLabel.entrySet());
      large.sort((one, other) -> other.getValue().size() - one.getValue().size());
      List<Point> others = new ArrayList<>();
      for (Map.Entry<String, List<Point>> small : large.subList(MOST_LABELS, large.size())) {
        others.addAll(small.getValue());
        byLabel.remove(small.getKey());
      }
      byLabel.put("(others)", others);
    }
    List<ScatterMap.Group> groups = new ArrayList<>();
    byLabel.forEach((label, members) ->
        groups.add(
            new ScatterMap.Group(
                label.isEmpty() ? "(none)" : label,
                members.stream().mapToDouble(Point::x).toArray(),
                members.stream().mapToDouble(Point::y).toArray())));
    return groups;
  }

  private static byte[] csv(List<Point> points) {
    StringBuilder text = new StringBuilder("file,label,x,y\r\n");
    for (Point point : points) {
      CsvCell.append(text, point.entry.path());
      text.append(',');
      CsvCell.append(text, point.entry.label());
      text.append(',').append((float) point.x).append(',').append((float) point.y).append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private byte[] page(Index index, PrincipalComponents plane, List<Point> points) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("images", String.format(Locale.ROOT, "%,d", points.size()));
    facts.put("numbers in a vector", Integer.toString(index.dimensions()));
    facts.put("model", String.valueOf(index.model().getFileName()));
    facts.put("pooling", index.pooling());
    double share = 0;
    for (double part : plane.shares()) {
      share += part;
    }
    facts.put("of the variance in this plane", String.format(Locale.ROOT, "%.0f %%", 100 * share));
    return new HtmlPage("tessera map " + path)
        .facts(facts)
        .figure(
            "the images as points, coloured by folder",
            Picture.ofPlot(png(points, Theme.LIGHT)),
            Picture.ofPlot(png(points, Theme.DARK)))
        .html()
        .getBytes(StandardCharsets.UTF_8);
  }
}
