package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.search.Index;
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

/** {@code tessera index add}: what is new or has changed. */
@Command(
    name = "add",
    description = "Add to an index what is new or has changed in its folders, or in other ones.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera index add photos.index",
      "  tessera index add photos.index --prune",
      "  tessera index add photos.index more-photos/",
      "",
      "A file is taken for unchanged where its size and time are, or its size and its hash."
    })
final class IndexAddCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "INDEX", description = "The index.")
  private Path path = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "DIR",
      arity = "0..*",
      description = "Folders with images. Default: those that the index was built of.")
  private List<Path> folders = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(names = "--prune", description = "Take out images whose files are gone.")
  private boolean prune;

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    Path model;
    Pooling pooling;
    List<Path> chosen = new ArrayList<>(folders);
    try (Index index = Index.open(path, 1)) {
      model = modelOptions.directory(index.model());
      pooling = Pooling.named(index.pooling());
      if (chosen.isEmpty()) {
        chosen.addAll(index.roots());
      }
    }
    if (folders.isEmpty()) {
      for (Path folder : chosen) {
        if (!Files.isDirectory(folder)) {
          throw new Failure(
              ExitCode.USAGE,
              folder + ", which is indexed, is not there; give the folders to look at");
        }
      }
    }
    IndexBuildCommand.check(chosen, inputs);
    try (ImageEmbedder embedder =
            compute.open(engine -> ImageEmbedder.open(model, engine, pooling));
        IndexWriter writer = IndexWriter.open(path)) {
      try (Index index = Index.open(path, 1)) {
        index.requireModel(embedder.fingerprint(), model);
      }
      return new IndexUpdate(path, writer, inputs, compute, prune, false).run(chosen, embedder);
    }
  }
}
