package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Prediction;
import dev.tessera.search.Index;
import dev.tessera.search.NeighborVote;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera knn}: labels images by what lies near them in a labelled folder. */
@Command(
    name = "knn",
    description = "Label images by the nearest images of a labelled folder, without training.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera knn labelled/ new/ --model dinov2-small",
      "  tessera knn labelled.index new/ --neighbors 10 --top-k 1 -o labels.csv",
      "",
      "Labels are the names of the folders in the labelled one: labelled/cat/..., labelled/dog/...",
      "An image never counts as its own neighbour, so 'tessera knn labelled/ labelled/' tells how",
      "well a model and a folder go together."
    })
final class KnnCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "LABELLED",
      description = "A folder with a folder of images for each label, or an index of one.")
  private Path labelled = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "PATH",
      arity = "1..*",
      description = "Image files, folders, or - for a list of paths on standard input, one a line.")
  private List<String> paths = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private PoolingOption pooling = new PoolingOption();

  @Option(
      names = {"-n", "--neighbors"},
      paramLabel = "N",
      defaultValue = "20",
      description = "Nearest images that vote. Default: ${DEFAULT-VALUE}.")
  private int neighbors;

  @Mixin private TopKOption topK = new TopKOption();

  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0.07",
      description =
          "A neighbour's vote is exp(cosine / X): less lets the nearest decide. Default:"
              + " ${DEFAULT-VALUE}.")
  private double temperature;

  @Mixin private OutputOptions output = new OutputOptions();

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    ImageInputs.require(neighbors >= 1, "--neighbors must be at least 1, not " + neighbors);
    topK.check();
    ImageInputs.require(temperature > 0, "--temperature must be above 0, not " + temperature);
    inputs.check(paths);
    try (WorkingIndex working =
        WorkingIndex.open(labelled, modelOptions, pooling.asked(), inputs, compute, true)) {
      Index index = working.index();
      NeighborVote vote = new NeighborVote(index, temperature);
      if (vote.labels().isEmpty()) {
        throw new Failure(
            ExitCode.USAGE,
            labelled + " has no labels: it needs a folder for each label, with images in it");
      }
      int most = topK.most(vote.labels());
      ResultFormat results = ResultFormat.of(output.format(), vote.labels(), most);
      ImageEmbedder embedder = working.embedder();
      ImageRun<ImageFile> run =
          new ImageRun<>(
              inputs.steps(
                  embedder.preprocessor(),
                  embedder::embeddings,
                  embedder::prepare,
                  paths,
                  compute.threads()),
              Terminal.ofStandardError(output.file() != null));
      run.count(inputs.counted(paths, Set.of()));
      ResultOutput out = output.open();
      out.write(results.header());
      return run.run(inputs.files(paths, Set.of()), new Votes(index, vote, results, most, out));
    }
  }

  /** From vectors to lines. */
  private final class Votes implements ImageRun.Rows<ImageFile> {
    private final Index index;
    private final NeighborVote vote;
    private final ResultFormat format;
    private final int most;
    private final ResultOutput out;
    private final StringBuilder line = new StringBuilder();

    Votes(Index index, NeighborVote vote, ResultFormat format, int most, ResultOutput out) {
      this.index = index;
      this.vote = vote;
      this.format = format;
      this.most = most;
      this.out = out;
    }

    @Override
    public void accept(ImageFile file, float[] vector) throws IOException, Failure {
      ImageEmbedder.normalize(vector);
      Path self = file.path().toAbsolutePath().normalize();
      List<Index.Hit> hits = new ArrayList<>(index.search(vector, neighbors + 1, null, false));
      hits.removeIf(hit -> hit.entry().file().equals(self));
      List<Prediction> predictions = vote.of(hits.subList(0, Math.min(neighbors, hits.size())));
      line.setLength(0);
      format.append(line, file.name(), predictions.subList(0, Math.min(most, predictions.size())));
      out.write(line);
    }

    @Override
    public void commit() throws Failure {
      out.commit();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
