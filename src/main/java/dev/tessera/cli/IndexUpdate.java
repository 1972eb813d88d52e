package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.search.Entry;
import dev.tessera.search.Index;
import dev.tessera.search.IndexException;
import dev.tessera.search.IndexWriter;
import dev.tessera.search.PathTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/** Brings an index up to date with folders: the work of {@code index build} and {@code add}. */
final class IndexUpdate {
  private static final long COMMIT_INTERVAL = 2_000_000_000;

  private final Path path;
  private final IndexWriter writer;
  private final ImageInputs inputs;
  private final ComputeOptions compute;
  private final boolean prune;
  private final boolean silent;
  private long pruned;
  private long unchanged;
  private long replaced;

  /**
   * @param prune whether pictures are taken out whose files are gone
   * @param silent whether nothing is said but what went wrong
   */
  IndexUpdate(
      Path path,
      IndexWriter writer,
      ImageInputs inputs,
      ComputeOptions compute,
      boolean prune,
      boolean silent) {
    this.path = path;
    this.writer = writer;
    this.inputs = inputs;
    this.compute = compute;
    this.prune = prune;
    this.silent = silent;
  }

  /** Adds what is new or changed in {@code folders} and returns the exit code. */
  int run(List<Path> folders, ImageEmbedder embedder) throws IOException, Failure {
    Terminal terminal = Terminal.ofStandardError(true);
    ImageRun<IndexedImage> run =
        new ImageRun<>(
            inputs.steps(
                embedder.preprocessor(),
                embedder::embeddings,
                embedder::prepare,
                folders.stream().map(Path::toString).toList(),
                compute.threads()),
            terminal);
    int graphCount;
    try (Index known = Index.open(path, 1)) {
      graphCount = known.graphCount();
      PathTable table = new PathTable(known);
      for (Path folder : folders) {
        if (!update(run, folder, known, table)) {
          return ExitCode.INTERRUPTED;
        }
      }
    } catch (IndexException e) {
      throw e;
    } catch (IOException e) {
      throw ResultOutput.failure(path.toString(), e);
    }
    try {
      writer.commit(true);
      if (!silent && writer.wantsGraph(graphCount)) {
        terminal.message(
            "tessera: building the graph over %,d vectors; until it is there, searches look at"
                    .formatted(writer.rowCount())
                + " every vector");
        writer.buildGraph(compute.threads());
      }
    } catch (IOException e) {
      throw ResultOutput.failure(path.toString(), e);
    }
    if (!silent) {
      terminal.message(
          "tessera: %s: %,d added, %,d changed, %,d unchanged, %,d removed%s"
              .formatted(
                  path,
                  run.good() - replaced,
                  replaced,
                  unchanged,
                  pruned,
                  run.bad() == 0 ? "" : ", %,d could not be read".formatted(run.bad())));
    } else if (run.bad() > 0) {
      terminal.message(
          "tessera: %d of %d images could not be read"
              .formatted(run.bad(), run.good() + run.bad()));
    }
    return run.good() + unchanged + pruned == 0 ? ExitCode.NO_IMAGE : ExitCode.OK;
  }

  private boolean update(ImageRun<IndexedImage> run, Path folder, Index known, PathTable table)
      throws IOException, Failure {
    int root = writer.root(folder);
    String rootName = folder.toAbsolutePath().normalize().toString();
    BitSet seen = new BitSet();
    // The index may lie in the folder that it is of.
    Set<Path> skipped = ImageInputs.skipping(path);
    List<String> paths = List.of(folder.toString());
    IndexSource source =
        new IndexSource(inputs.files(paths, skipped), folder, root, known, table, seen);
    if (known.rowCount() == 0) {
      ImageFiles counted = inputs.counted(paths, skipped);
      run.count(
          counted == null
              ? null
              : new IndexSource(counted, folder, root, known, table, new BitSet()));
    }
    if (!run.pass(source, new Added())) {
      return false;
    }
    unchanged += source.unchanged();
    for (IndexSource.Touched touched : source.touched()) {
      Entry entry = known.entry(touched.row());
      writer.add(
          known.rows().get(touched.row()),
          root,
          entry.path(),
          entry.size(),
          touched.modified(),
          entry.hash());
      writer.remove(touched.row());
    }
    long gone = 0;
    for (int row = 0; row < known.rowCount(); row++) {
      if (!known.isRemoved(row)
          && !seen.get(row)
          && known.entry(row).root().toString().equals(rootName)) {
        gone++;
        if (prune) {
          writer.remove(row);
        }
      }
    }
    pruned += prune ? gone : 0;
    if (gone > 0 && !prune) {
      System.err.println(
          "tessera: %,d files of the index are no longer in %s; take them out with --prune"
              .formatted(gone, folder));
    }
    return true;
  }

  /** Vectors on their way into the index, which is committed every now and then. */
  private final class Added implements ImageRun.Rows<IndexedImage> {
    private long lastCommit = System.nanoTime();

    @Override
    public void accept(IndexedImage image, float[] vector) throws IOException {
      ImageEmbedder.normalize(vector);
      writer.add(
          vector, image.root(), image.relative(), image.size(), image.modified(), image.hash());
      if (image.replaced() >= 0) {
        writer.remove(image.replaced());
        replaced++;
      }
      long now = System.nanoTime();
      if (now - lastCommit > COMMIT_INTERVAL) {
        writer.commit(false);
        lastCommit = System.nanoTime();
      }
    }

    @Override
    public void commit() {
      // With the last folder.
    }

    /** Also where the run was interrupted: what is done is done. */
    @Override
    public void close() throws IOException {
      writer.commit(false);
    }
  }
}
