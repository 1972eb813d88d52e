package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.image.ImageException;
import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.search.Index;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Vectors of queries, by the model that an index was built with. */
final class QueryVectors implements AutoCloseable {
  private final ImageEmbedder images;

  private QueryVectors(ImageEmbedder images) {
    this.images = images;
  }

  /**
   * Loads the model.
   *
   * @param queries all that will be asked for
   */
  static QueryVectors open(Index index, Path model, ComputeOptions compute, List<String> queries)
      throws IOException, Failure {
    for (String query : queries) {
      if (!isFile(query)) {
        throw new Failure(ExitCode.USAGE, query + ": no such file; check the path and try again");
      }
    }
    Engine engine = compute.open();
    ImageEmbedder embedder =
        IndexBuildCommand.load(
            model, engine, Pooling.valueOf(index.pooling().toUpperCase(Locale.ROOT)));
    try {
      index.requireModel(embedder.fingerprint(), model);
      return new QueryVectors(embedder);
    } catch (IOException | RuntimeException | Error e) {
      embedder.close();
      throw e;
    }
  }

  private static boolean isFile(String query) {
    try {
      return Files.isRegularFile(Path.of(query));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Whether a query is the name of an image. */
  boolean isImage(String query) {
    return isFile(query);
  }

  /** The vector of a query, of length 1. */
  float[] of(String query) throws Failure {
    try {
      float[] vector = images.embed(Path.of(query));
      ImageEmbedder.normalize(vector);
      return vector;
    } catch (ImageException e) {
      throw new Failure(ExitCode.NO_IMAGE, String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void close() {
    images.close();
  }
}
