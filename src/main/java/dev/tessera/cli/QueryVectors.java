package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.image.ImageException;
import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.model.TextEmbedder;
import dev.tessera.search.Index;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Vectors of queries, images or words, by the model that an index was built with. */
final class QueryVectors implements AutoCloseable {
  private static final Pattern IMAGE =
      Pattern.compile(".*\\.(jpe?g|png|gif|bmp|tiff?|webp|p[bgpn]m)", Pattern.CASE_INSENSITIVE);

  private final ImageEmbedder images;
  private final @Nullable TextEmbedder texts;

  private QueryVectors(ImageEmbedder images, @Nullable TextEmbedder texts) {
    this.images = images;
    this.texts = texts;
  }

  /**
   * Loads the model.
   *
   * @param queries all that will be asked for
   */
  static QueryVectors open(Index index, Path model, ComputeOptions compute, List<String> queries)
      throws IOException, Failure {
    boolean words = false;
    for (String query : queries) {
      if (!isFile(query)) {
        if (IMAGE.matcher(query).matches()) {
          throw new Failure(ExitCode.USAGE, query + ": no such file; check the path and try again");
        }
        words = true;
      }
    }
    Engine engine = compute.open();
    Pooling pooling = Pooling.named(index.pooling());
    ImageEmbedder embedder =
        ComputeOptions.with(engine, open -> ImageEmbedder.open(model, open, pooling));
    try {
      index.requireModel(embedder.fingerprint(), model);
      return new QueryVectors(embedder, words ? texts(model, engine, embedder, queries) : null);
    } catch (IOException | Failure | RuntimeException | Error e) {
      embedder.close();
      throw e;
    }
  }

  /** The other tower, for queries that are no files. */
  private static TextEmbedder texts(
      Path model, Engine engine, ImageEmbedder images, List<String> queries)
      throws IOException, Failure {
    if (images.pooling() != Pooling.PROJECTION) {
      String first = queries.stream().filter(query -> !isFile(query)).findFirst().orElse("");
      throw new Failure(
          ExitCode.USAGE,
          "\"%s\" is no file, and the index is of vectors that no words have; search for words in an"
                  .formatted(first)
              + " index that was built with a model of images and texts, such as CLIP");
    }
    return TextEmbedder.open(model, engine);
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
    TextEmbedder words = texts;
    if (words != null && !isFile(query)) {
      float[] vector = words.embed(List.of(query))[0];
      ImageEmbedder.normalize(vector);
      return vector;
    }
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
    if (texts != null) {
      texts.close();
    }
    images.close();
  }
}
