package dev.tessera.search;

import dev.tessera.checkpoint.AtomicFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adds pictures to an index and takes them out.
 *
 * <p>What is added goes to the end of new files; {@link #commit} makes it part of the index by
 * replacing the manifest. So a process that is killed at any time leaves the index as it was at its
 * last commit. One writer at a time.
 */
public final class IndexWriter implements Closeable {
  private static final int BUFFER = 1 << 18;

  private final Path path;
  private final FileChannel lock;
  private final BitSet removed;
  private Manifest manifest;
  private boolean removedChanged;
  private @Nullable Appender appender;

  private IndexWriter(Path path, Manifest manifest, FileChannel lock, BitSet removed) {
    this.path = path;
    this.manifest = manifest;
    this.lock = lock;
    this.removed = removed;
  }

  /**
   * Starts an index in the folder {@code path}, which is made.
   *
   * @throws IndexException if there is one already
   */
  public static IndexWriter create(
      Path path, Path model, String fingerprint, String pooling, int dimensions)
      throws IOException {
    if (Manifest.exists(path)) {
      throw new IndexException(
          path, "exists; add to it with 'tessera index add', or delete it first");
    }
    Files.createDirectories(path);
    FileChannel lock = lock(path);
    try {
      Manifest manifest =
          new Manifest(
              model.toAbsolutePath().normalize().toString(),
              fingerprint,
              pooling,
              dimensions,
              List.of(),
              List.of(),
              null,
              null,
              false,
              1);
      manifest.write(path);
      return new IndexWriter(path, manifest, lock, new BitSet());
    } catch (IOException | RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  /** Opens the index in the folder {@code path}, and deletes what a killed process has left. */
  public static IndexWriter open(Path path) throws IOException {
    Manifest.read(path);
    FileChannel lock = lock(path);
    try {
      Manifest manifest = Manifest.read(path);
      IndexWriter writer = new IndexWriter(path, manifest, lock, Index.removed(path, manifest));
      writer.deleteUnused();
      return writer;
    } catch (IOException | RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Held in this process.
    }
    channel.close();
    throw new IndexException(path, "is being changed by another process; wait for its end");
  }

  public String fingerprint() {
    return manifest.fingerprint();
  }

  /** The number of a folder that is indexed; it is added where it is new. */
  public int root(Path folder) {
    String root = folder.toAbsolutePath().normalize().toString();
    List<String> roots = new ArrayList<>(manifest.roots());
    int known = roots.indexOf(root);
    if (known >= 0) {
      return known;
    }
    roots.add(root);
    manifest = manifest.withRoots(roots);
    return roots.size() - 1;
  }

  /** How many rows there are, removed and not yet committed ones included. */
  public int rowCount() {
    return manifest.rows() + (appender == null ? 0 : appender.count - appender.committed);
  }

  /**
   * Adds a picture.
   *
   * @param vector of length 1
   * @param root its folder's number
   * @param relative the way from there, with slashes
   * @param size of the file
   * @param modified its time, in nanoseconds since 1970
   * @param hash its SHA-256
   */
  public void add(float[] vector, int root, String relative, long size, long modified, byte[] hash)
      throws IOException {
    if (vector.length != manifest.dimensions() || hash.length != 32) {
      throw new IllegalArgumentException(
          "a vector of %d numbers and a hash of %d bytes".formatted(vector.length, hash.length));
    }
    if (appender == null) {
      appender = new Appender(next());
    }
    appender.add(vector, root, relative, size, modified, hash);
  }

  private String next() {
    String number = "%06d".formatted(manifest.next());
    manifest = manifest.afterNext();
    return number;
  }

  /** Takes the picture in a row out. */
  public void remove(int row) {
    if (row < 0 || row >= rowCount()) {
      throw new IndexOutOfBoundsException("row " + row + " of " + rowCount());
    }
    removed.set(row);
    removedChanged = true;
  }

  /**
   * Makes all that was added and removed part of the index.
   *
   * @param complete whether this is the end of what was to be done
   */
  public void commit(boolean complete) throws IOException {
    List<Manifest.Segment> segments = new ArrayList<>(manifest.segments());
    Appender open = appender;
    if (open != null) {
      open.force();
      Manifest.Segment part = new Manifest.Segment(open.name, open.count, open.nameBytes);
      if (open.committed > 0) {
        segments.set(segments.size() - 1, part);
      } else if (open.count > 0) {
        segments.add(part);
      }
    }
    String removedFile = manifest.removed();
    if (removedChanged) {
      removedFile = next() + ".removed";
      Path file = path.resolve(removedFile);
      Files.write(file, removed.toByteArray());
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.force(false);
      }
    }
    replace(segments, removedFile, manifest.graph(), complete);
    if (open != null) {
      open.committed = open.count;
    }
    removedChanged = false;
  }

  private void replace(
      List<Manifest.Segment> segments,
      @Nullable String removedFile,
      @Nullable String graph,
      boolean complete)
      throws IOException {
    String oldRemoved = manifest.removed();
    String oldGraph = manifest.graph();
    manifest = manifest.with(segments, removedFile, graph, complete);
    manifest.write(path);
    if (oldRemoved != null && !oldRemoved.equals(removedFile)) {
      Files.deleteIfExists(path.resolve(oldRemoved));
    }
    if (oldGraph != null && !oldGraph.equals(graph)) {
      Files.deleteIfExists(path.resolve(oldGraph));
    }
  }

  /**
   * Whether a graph should be built: there are more rows than are fast to look at, and more of them
   * behind the graph there is than a fifth.
   */
  public boolean wantsGraph(int graphCount) {
    int rows = manifest.rows();
    return rows > Index.EXACT_LIMIT && rows - graphCount > rows / 5;
  }

  /** Builds the graph over all that was committed. */
  public void buildGraph(int threads) throws IOException {
    String name = next() + ".graph";
    try (Index index = Index.open(path, 1)) {
      Hnsw.build(index.rows(), threads, path.resolve(name));
    }
    replace(manifest.segments(), manifest.removed(), name, manifest.complete());
  }

  /** Deletes files that the manifest does not name. */
  private void deleteUnused() throws IOException {
    Set<String> used = new HashSet<>();
    if (manifest.removed() != null) {
      used.add(manifest.removed());
    }
    if (manifest.graph() != null) {
      used.add(manifest.graph());
    }
    for (Manifest.Segment segment : manifest.segments()) {
      for (String ending : List.of(".vectors", ".rows", ".names")) {
        used.add(segment.name() + ending);
      }
    }
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(path, "[0-9]*.{vectors,rows,names,removed,graph}")) {
      for (Path file : files) {
        if (!used.contains(String.valueOf(file.getFileName()))) {
          Files.delete(file);
        }
      }
    }
  }

  /** Closes without committing what is not committed. */
  @Override
  public void close() throws IOException {
    try (lock) {
      if (appender != null) {
        appender.close();
      }
    }
  }

  /** The files of the segment that is being written. */
  private final class Appender implements Closeable {
    private final String name;
    private final FileChannel vectors;
    private final FileChannel records;
    private final FileChannel names;
    private final ByteBuffer vectorBuffer;
    private final ByteBuffer recordBuffer = little(BUFFER);
    private final ByteBuffer nameBuffer = little(BUFFER);
    private int count;
    private int committed;
    private long nameBytes;

    Appender(String name) throws IOException {
      this.name = name;
      int bytes = 4 * Rows.stride(manifest.dimensions());
      this.vectorBuffer = little(Math.max(BUFFER / bytes, 1) * bytes);
      this.vectors = create(name + ".vectors");
      this.records = create(name + ".rows");
      this.names = create(name + ".names");
    }

    private FileChannel create(String file) throws IOException {
      return FileChannel.open(
          path.resolve(file),
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);
    }

    void add(float[] vector, int root, String relative, long size, long modified, byte[] hash)
        throws IOException {
      if (!vectorBuffer.hasRemaining()) {
        drain(vectors, vectorBuffer);
      }
      for (float value : vector) {
        vectorBuffer.putFloat(value);
      }
      for (int i = vector.length; i < Rows.stride(vector.length); i++) {
        vectorBuffer.putFloat(0);
      }
      byte[] bytes = relative.getBytes(StandardCharsets.UTF_8);
      if (recordBuffer.remaining() < Segment.RECORD) {
        drain(records, recordBuffer);
      }
      recordBuffer.putLong(nameBytes).putInt(bytes.length).putInt(root);
      recordBuffer.putLong(size).putLong(modified).put(hash);
      if (nameBuffer.remaining() < bytes.length) {
        drain(names, nameBuffer);
      }
      nameBuffer.put(bytes);
      nameBytes += bytes.length;
      count++;
    }

    void force() throws IOException {
      drain(vectors, vectorBuffer);
      drain(records, recordBuffer);
      drain(names, nameBuffer);
      vectors.force(false);
      records.force(false);
      names.force(false);
    }

    @Override
    public void close() throws IOException {
      try (vectors;
          records) {
        names.close();
      }
    }
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void drain(FileChannel channel, ByteBuffer buffer) throws IOException {
    AtomicFile.drain(channel, buffer.flip());
    buffer.clear();
  }
}
