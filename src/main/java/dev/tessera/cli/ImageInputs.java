package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.Limits;
import dev.tessera.image.Preprocessor;
import dev.tessera.model.ImageClassifier;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which images a command reads, and how many at once; the paths themselves are the command's. */
final class ImageInputs {
  /** About what fills a machine: eight images of 224 by 224 pixels. */
  private static final int PIXELS_PER_BATCH = 8 * 224 * 224;

  @Option(
      names = "--include",
      paramLabel = "GLOB",
      description = "In folders, take only files that match, such as '*.jpg' or 'train/**'.")
  private List<String> includes = new ArrayList<>();

  @Option(
      names = "--exclude",
      paramLabel = "GLOB",
      description = "In folders, leave out files and folders that match.")
  private List<String> excludes = new ArrayList<>();

  @Option(
      names = {"-0", "--null"},
      description = "The list on standard input ends each path with NUL, as find -print0 does.")
  private boolean nulSeparated;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Images computed at once. Default: as the size of the model's input suggests.")
  private int batchSize;

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      description = "Largest image, width times height. Default: 178956970, as in Pillow.")
  private @Nullable Long maxPixels;

  /** Fails if the options make no sense or a path does not exist. */
  void check(List<String> paths) throws Failure {
    require(
        batchSize >= 0 && batchSize <= 4096,
        "--batch-size must be from 1 to 4096, not " + batchSize);
    require(
        maxPixels == null || maxPixels >= 1, "--max-pixels must be at least 1, not " + maxPixels);
    ImageFiles.check(paths);
  }

  static void require(boolean holds, String otherwise) throws Failure {
    if (!holds) {
      throw new Failure(ExitCode.USAGE, otherwise);
    }
  }

  Decoder decoder() {
    return new Decoder(
        maxPixels == null ? Limits.DEFAULT : new Limits(maxPixels, Limits.DEFAULT.maxFileBytes()));
  }

  /**
   * How a model computes the images under {@code paths}.
   *
   * @param preparation makes the model ready for batches of the size given
   * @param threads that decode
   */
  ImageRun.Steps steps(
      Preprocessor preprocessor,
      Pipeline.Computation computation,
      IntConsumer preparation,
      List<String> paths,
      int threads) {
    int batch = batchSize(preprocessor);
    int expected = expectedBatch(paths, batch);
    return new ImageRun.Steps(
        decoder(), preprocessor, computation, () -> preparation.accept(expected), batch, threads);
  }

  private int batchSize(Preprocessor preprocessor) {
    return batchSize > 0 ? batchSize : batchSizeFor(preprocessor);
  }

  /** A batch that fills a machine. */
  static int batchSizeFor(Preprocessor preprocessor) {
    return Math.clamp(
        PIXELS_PER_BATCH / ((long) preprocessor.height() * preprocessor.width()), 1, 64);
  }

  /** A few files are few images; a folder or a list is probably more than a batch. */
  private static int expectedBatch(List<String> paths, int batch) {
    for (String path : paths) {
      if (path.equals("-") || Files.isDirectory(Path.of(path))) {
        return batch;
      }
    }
    return ImageClassifier.size(Math.min(paths.size(), batch), batch);
  }

  /** The files under {@code paths}, where {@code -} is read from standard input. */
  ImageFiles files(List<String> paths, Set<Path> skipped) throws IOException, Failure {
    PathList list =
        paths.contains("-")
            ? new PathList(
                StandardInput.open(),
                Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")),
                nulSeparated)
            : null;
    return new ImageFiles(paths, list, new FileFilter(includes, excludes), skipped);
  }

  /** The same files, to be counted beside the run; null where that cannot be done. */
  @Nullable ImageFiles counted(List<String> paths, Set<Path> skipped) throws Failure {
    return paths.contains("-")
        ? null
        : new ImageFiles(paths, null, new FileFilter(includes, excludes), skipped);
  }

  /** Real paths of folders that are written to and so must not be read from. */
  static Set<Path> skipping(@Nullable Path folder) throws IOException {
    return folder == null ? Set.of() : Set.of(folder.toRealPath());
  }
}
