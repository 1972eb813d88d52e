package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.search.Index;
import dev.tessera.search.IndexWriter;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The vectors of a folder of images that a command works with: an index where the person has one,
 * otherwise one that is made for the command and deleted after it, so that the vectors need no
 * heap.
 */
final class WorkingIndex implements AutoCloseable {
  private final Index index;
  private final @Nullable ImageEmbedder embedder;
  private final @Nullable Temporary temporary;

  private WorkingIndex(
      Index index, @Nullable ImageEmbedder embedder, @Nullable Temporary temporary) {
    this.index = index;
    this.embedder = embedder;
    this.temporary = temporary;
  }

  /**
   * Opens the index {@code path}, or embeds the images in the folder {@code path}.
   *
   * @param pooling for a folder; null for what the model says
   * @param embeds whether {@link #embedder} is asked for
   */
  static WorkingIndex open(
      Path path,
      ModelOptions models,
      @Nullable Pooling pooling,
      ImageInputs inputs,
      ComputeOptions compute,
      boolean embeds)
      throws IOException, Failure {
    if (Files.exists(path.resolve("manifest.json"))) {
      Index index = Index.open(path, compute.threads());
      try {
        return new WorkingIndex(index, embeds ? embedder(index, models, compute) : null, null);
      } catch (IOException | Failure | RuntimeException | Error e) {
        index.close();
        throw e;
      }
    }
    IndexBuildCommand.check(List.of(path), inputs);
    Path model = models.directory();
    ImageEmbedder embedder = compute.open(engine -> ImageEmbedder.open(model, engine, pooling));
    Temporary temporary = null;
    try {
      temporary = Temporary.create();
      try (IndexWriter writer =
          IndexWriter.create(
              temporary.folder,
              model,
              embedder.fingerprint(),
              embedder.pooling().toString(),
              embedder.dimensions())) {
        int code =
            new IndexUpdate(temporary.folder, writer, inputs, compute, false, true)
                .run(List.of(path), embedder);
        if (code == ExitCode.INTERRUPTED) {
          throw new Failure(code, "interrupted");
        } else if (code == ExitCode.NO_IMAGE) {
          throw new Failure(code, path + " has no image that can be read");
        }
      }
      Index index = Index.open(temporary.folder, compute.threads());
      if (!embeds) {
        embedder.close();
      }
      return new WorkingIndex(index, embeds ? embedder : null, temporary);
    } catch (IOException | Failure | RuntimeException | Error e) {
      embedder.close();
      if (temporary != null) {
        temporary.delete();
      }
      throw e;
    }
  }

  private static ImageEmbedder embedder(Index index, ModelOptions models, ComputeOptions compute)
      throws IOException, Failure {
    Path model = models.directory(index.model());
    Pooling pooling = Pooling.named(index.pooling());
    ImageEmbedder embedder = compute.open(engine -> ImageEmbedder.open(model, engine, pooling));
    try {
      index.requireModel(embedder.fingerprint(), model);
      return embedder;
    } catch (IOException | RuntimeException | Error e) {
      embedder.close();
      throw e;
    }
  }

  Index index() {
    return index;
  }

  /** The model that the vectors were made with. */
  ImageEmbedder embedder() {
    if (embedder == null) {
      throw new IllegalStateException("opened without");
    }
    return embedder;
  }

  @Override
  public void close() {
    index.close();
    if (embedder != null) {
      embedder.close();
    }
    if (temporary != null) {
      temporary.delete();
    }
  }

  /** A folder that does not outlive the process, not even one that Ctrl-C ends. */
  private record Temporary(Path folder, Thread hook) {
    static Temporary create() throws IOException {
      Path folder = Files.createTempDirectory("tessera-");
      Thread hook = new Thread(() -> empty(folder), "temporary files");
      Runtime.getRuntime().addShutdownHook(hook);
      return new Temporary(folder, hook);
    }

    void delete() {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The hook is about to run.
      }
      empty(folder);
    }

    private static void empty(Path folder) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        // What is left is the system's to clear away.
      }
    }
  }
}
