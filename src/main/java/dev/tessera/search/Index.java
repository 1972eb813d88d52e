package dev.tessera.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Pictures that were embedded, in a folder on disk: found again by their vectors.
 *
 * <p>Vectors have length 1, so scores are cosines. The folder is mapped, not read: opening costs no
 * time and memory does not grow with it. A reader sees the index as it was when it was opened;
 * {@link IndexWriter} may add to it meanwhile.
 */
public final class Index implements AutoCloseable {
  /** Rows above which a graph pays: below, looking at every row is fast enough, and exact. */
  public static final int EXACT_LIMIT = 100_000;

  /** Candidates that a search of the graph keeps. */
  static final int BEAM = 128;

  private final Path path;
  private final Manifest manifest;
  private final Arena arena;
  private final List<Segment> segments;
  private final List<Path> roots;
  private final int[] starts;
  private final BitSet removed;
  private final Rows rows;
  private final @Nullable Hnsw graph;
  private final ExactScan scan;

  private Index(Path path, Manifest manifest, int threads) throws IOException {
    this.path = path;
    this.manifest = manifest;
    this.arena = Arena.ofShared();
    try {
      this.segments = new ArrayList<>();
      this.starts = new int[manifest.segments().size() + 1];
      List<MemorySegment> vectors = new ArrayList<>();
      for (Manifest.Segment part : manifest.segments()) {
        Segment segment = Segment.open(path, part, manifest.dimensions(), arena);
        starts[segments.size() + 1] = starts[segments.size()] + segment.count();
        segments.add(segment);
        vectors.add(segment.vectors());
      }
      this.roots = manifest.roots().stream().map(Path::of).toList();
      this.removed = removed(path, manifest);
      this.rows = new Rows(manifest.dimensions(), vectors);
      this.graph =
          manifest.graph() == null ? null : Hnsw.open(path.resolve(manifest.graph()), rows, arena);
      this.scan = new ExactScan(threads);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Opens the index in the folder {@code path}.
   *
   * @param threads that search
   * @throws IndexException if there is no intact index
   */
  public static Index open(Path path, int threads) throws IOException {
    // A writer may replace the files between reading the manifest and mapping them.
    for (int attempt = 0; ; attempt++) {
      Manifest manifest = Manifest.read(path);
      try {
        return new Index(path, manifest, threads);
      } catch (IOException e) {
        if (attempt == 3 || manifest.equals(Manifest.read(path))) {
          throw e;
        }
      }
    }
  }

  static BitSet removed(Path path, Manifest manifest) throws IOException {
    if (manifest.removed() == null) {
      return new BitSet();
    }
    try {
      return BitSet.valueOf(Files.readAllBytes(path.resolve(manifest.removed())));
    } catch (IOException e) {
      throw new IndexException(
          path, "is damaged: " + manifest.removed() + " cannot be read; build it again", e);
    }
  }

  /** One picture found. */
  public record Hit(Entry entry, float score) {}

  /** How many pictures it has. */
  public int count() {
    return rows.count() - removed.cardinality();
  }

  /** How many rows it has, those of pictures that were removed included. */
  public int rowCount() {
    return rows.count();
  }

  /** Whether the picture in a row was removed. */
  public boolean isRemoved(int row) {
    return removed.get(row);
  }

  /** The vectors, those of pictures that were removed included. */
  public Rows rows() {
    return rows;
  }

  public int dimensions() {
    return manifest.dimensions();
  }

  /** The folder of the model that the vectors were made with. */
  public Path model() {
    return Path.of(manifest.model());
  }

  /** Which model that is: see {@code ImageEmbedder.fingerprint}. */
  public String fingerprint() {
    return manifest.fingerprint();
  }

  /** What of the model's output the vectors are. */
  public String pooling() {
    return manifest.pooling();
  }

  /** Folders that were indexed. */
  public List<Path> roots() {
    return roots;
  }

  /** Whether the last run that added pictures came to its end. */
  public boolean isComplete() {
    return manifest.complete();
  }

  /** How many rows the graph covers; 0 without one. */
  public int graphCount() {
    return graph == null ? 0 : graph.count();
  }

  /** What is known of the picture in a row. */
  public Entry entry(int row) throws IndexException {
    int part = part(row);
    return segments.get(part).entry(row - starts[part], roots);
  }

  private int part(int row) {
    int part = 0;
    while (row >= starts[part + 1]) {
      part++;
    }
    return part;
  }

  /**
   * Fails unless {@code fingerprint} is that of the model which made the vectors.
   *
   * @param model what the message calls the other model
   */
  public void requireModel(String fingerprint, Path model) throws IndexException {
    if (!fingerprint.equals(manifest.fingerprint())) {
      throw new IndexException(
          path,
          "was built with another model (%s, %s) than %s; search with that one or build it again"
              .formatted(manifest.model(), manifest.pooling(), model));
    }
  }

  /**
   * The pictures nearest to {@code query}, best first.
   *
   * @param query of length 1
   * @param k how many
   * @param filter which pictures may be found; null for all
   * @param exact whether every vector is looked at even where there is a graph
   */
  public List<Hit> search(float[] query, int k, @Nullable Predicate<Entry> filter, boolean exact)
      throws IOException {
    Neighbors best = nearest(query, k, filter, exact);
    List<Hit> hits = new ArrayList<>(best.count());
    for (int i = 0; i < best.count(); i++) {
      hits.add(new Hit(entry(best.rows()[i]), best.scores()[i]));
    }
    return hits;
  }

  private Neighbors nearest(float[] query, int k, @Nullable Predicate<Entry> filter, boolean exact)
      throws IOException {
    Hnsw fast = graph;
    // A filter may leave so little that a graph leads nowhere; a scan asks it of good rows alone.
    if (fast == null || exact || filter != null) {
      return scan.search(rows, new float[][] {query}, k, row -> accepts(row, filter)).getFirst();
    }
    int beam = Math.max(BEAM, 2 * k);
    Neighbors known = fast.search(query, k, beam, row -> !removed.get(row));
    if (fast.count() == rows.count()) {
      return known;
    }
    // What was added since the graph was built.
    int from = fast.count();
    Neighbors later =
        scan.search(rows.from(from), new float[][] {query}, k, row -> !removed.get(row + from))
            .getFirst();
    Nearest both = new Nearest(Math.min(k, known.count() + later.count()));
    for (int i = 0; i < known.count(); i++) {
      both.offer(known.rows()[i], known.scores()[i]);
    }
    for (int i = 0; i < later.count(); i++) {
      both.offer(later.rows()[i] + from, later.scores()[i]);
    }
    return both.best();
  }

  private boolean accepts(int row, @Nullable Predicate<Entry> filter) {
    if (removed.get(row)) {
      return false;
    }
    if (filter == null) {
      return true;
    }
    try {
      return filter.test(entry(row));
    } catch (IndexException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    scan.close();
    arena.close();
  }
}
