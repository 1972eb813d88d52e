package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.search.IndexWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera index build}: an index of the images in folders. */
@Command(
    name = "build",
    description = "Embed the images in folders and keep their vectors in an index.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera index build photos/ --model dinov2-small -o photos.index",
      "  tessera index build a/ b/ --model clip-base --include '*.jpg' -o both.index",
      "",
      "An index is a folder. If the build is interrupted, what it has is an index already, and",
      "'tessera index add' goes on with it."
    })
final class IndexBuildCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders with images.")
  private List<Path> folders = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private PoolingOption pooling = new PoolingOption();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "INDEX",
      required = true,
      description = "Folder to make for the index.")
  private Path output = Path.of("");

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    check(folders, inputs);
    Path model = modelOptions.directory();
    try (ImageEmbedder embedder =
            compute.open(engine -> ImageEmbedder.open(model, engine, pooling.asked()));
        IndexWriter writer = create(model, embedder)) {
      return new IndexUpdate(output, writer, inputs, compute, false, false).run(folders, embedder);
    }
  }

  static void check(List<Path> folders, ImageInputs inputs) throws Failure {
    inputs.check(folders.stream().map(Path::toString).toList());
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new Failure(ExitCode.USAGE, folder + " is no folder; give the folder that it is in");
      }
    }
  }

  private IndexWriter create(Path model, ImageEmbedder embedder) throws IOException, Failure {
    if (Files.exists(output) && !Files.isDirectory(output)) {
      throw new Failure(
          ExitCode.OUTPUT, output + " is a file; an index is a folder, so give another name");
    }
    return IndexWriter.create(
        output,
        model,
        embedder.fingerprint(),
        embedder.pooling().toString(),
        embedder.dimensions());
  }
}
