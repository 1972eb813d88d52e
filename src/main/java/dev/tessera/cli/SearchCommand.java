package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.search.Entry;
import dev.tessera.search.Index;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera search}: the images of an index that are most like a query. */
@Command(
    name = "search",
    description = "Find the images of an index that are most like an image, or fit a few words.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera search photos.index query.jpg",
      "  tessera search photos.index query.jpg -k 100 --html found.html",
      "  tessera search photos.index a.jpg b.jpg --include 'holiday/**' --format jsonl",
      "  tessera search photos.index \"a red shoe\"",
      "",
      "A query that is no file is searched for as words, where the index was built with a model of",
      "images and texts, such as CLIP. The score is the cosine of the two vectors: 1 for the same",
      "image; between words and images it is far smaller."
    })
final class SearchCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "INDEX", description = "Made by 'tessera index build'.")
  private Path path = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "QUERY",
      arity = "1..*",
      description = "Image files, or words, to search for.")
  private List<String> queries = new ArrayList<>();

  @Option(
      names = {"-k", "--top-k"},
      paramLabel = "N",
      defaultValue = "20",
      description = "Most images for a query. Default: ${DEFAULT-VALUE}.")
  private int topK;

  @Option(
      names = {"-t", "--threshold"},
      paramLabel = "X",
      description = "Leave out images with a score below X, from -1 to 1.")
  private float threshold = -1;

  @Option(
      names = "--include",
      paramLabel = "GLOB",
      description = "Find only files that match, such as '*.jpg' or 'train/**'.")
  private List<String> includes = new ArrayList<>();

  @Option(names = "--exclude", paramLabel = "GLOB", description = "Do not find files that match.")
  private List<String> excludes = new ArrayList<>();

  @Option(
      names = "--label",
      paramLabel = "LABEL",
      split = ",",
      description = "Find only files of labelled folders: DIR/LABEL/... of the indexed DIR.")
  private List<String> labels = new ArrayList<>();

  @Option(
      names = "--exact",
      description = "Look at every vector even where the index has a graph; see 'index info'.")
  private boolean exact;

  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a page with the images found, which needs no other file.")
  private @Nullable Path html;

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    ImageInputs.require(topK >= 1, "--top-k must be at least 1, not " + topK);
    Predicate<Entry> filter = filter();
    HitFormat lines = HitFormat.of(output.format());
    HitGallery gallery = html == null ? null : new HitGallery(new Decoder());
    try (Index index = Index.open(path, compute.threads());
        QueryVectors vectors =
            QueryVectors.open(index, modelOptions.directory(index.model()), compute, queries);
        ResultOutput out = output.open()) {
      out.write(lines.header());
      StringBuilder text = new StringBuilder();
      for (String query : queries) {
        List<Index.Hit> hits = new ArrayList<>();
        for (Index.Hit hit : index.search(vectors.of(query), topK, filter, exact)) {
          if (hit.score() >= threshold) {
            hits.add(hit);
          }
        }
        text.setLength(0);
        lines.append(text, query, hits);
        out.write(text);
        if (gallery != null) {
          gallery.add(query, vectors.isImage(query), hits);
        }
      }
      out.commit();
    }
    Path page = html;
    if (gallery != null && page != null) {
      ResultOutput.write(
          page, gallery.page("tessera search " + path).getBytes(StandardCharsets.UTF_8));
    }
    return ExitCode.OK;
  }

  private @Nullable Predicate<Entry> filter() throws Failure {
    if (includes.isEmpty() && excludes.isEmpty() && labels.isEmpty()) {
      return null;
    }
    FileFilter files = new FileFilter(includes, excludes);
    List<String> wanted = List.copyOf(labels);
    return entry ->
        (wanted.isEmpty() || wanted.contains(entry.label()))
            && files.takesFile(Path.of(entry.path()));
  }
}
