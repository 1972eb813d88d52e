package dev.tessera.search;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.tessera.checkpoint.AtomicFile;
import dev.tessera.checkpoint.Json;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of equally long vectors, written one after the other, with an id for each of them beside
 * it: {@code out.npy} and {@code out.ids.json}, a JSON array of strings in the vectors' order.
 *
 * <p>Until {@link #commit} both have {@code .partial} appended to their names. A header of fixed
 * length, in which the number of vectors is filled in at the end, lets them grow to any number in
 * constant memory, and lets a run that was killed go on: what counts are the vectors that are whole
 * and whose id is whole.
 */
public final class VectorFile implements Closeable {
  /** How the vectors are laid down. */
  public enum Kind {
    /** NumPy's format 1.0: {@code numpy.load} gives float32 {@code [vectors, dimensions]}. */
    NPY,
    /** One tensor {@code embeddings}, float32 {@code [vectors, dimensions]}. */
    SAFETENSORS,
    /** A column {@code id} and a column {@code embedding}, a list of floats; no file beside it. */
    PARQUET
  }

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int NPY_HEADER = 128;
  private static final int BUFFER = 1 << 18;

  private final Path target;
  private final Kind kind;
  private final int dimensions;
  private final Map<String, String> metadata;
  private final int headerLength;
  private final FileChannel vectors;
  private final FileChannel ids;
  private final ByteBuffer vectorBuffer;
  private final ByteBuffer idBuffer = ByteBuffer.allocate(BUFFER);
  private long count;

  private VectorFile(
      Path target, Kind kind, int dimensions, Map<String, String> metadata, boolean anew)
      throws IOException {
    this.target = target;
    this.kind = kind;
    this.dimensions = dimensions;
    this.metadata = new LinkedHashMap<>(metadata);
    if (kind != Kind.PARQUET) {
      this.metadata.put("ids", String.valueOf(idsFile(target).getFileName()));
    }
    this.headerLength = kind == Kind.NPY ? NPY_HEADER : safetensors(Long.MAX_VALUE, 0).length;
    this.vectorBuffer =
        ByteBuffer.allocate(Math.max(BUFFER, 4 * dimensions)).order(ByteOrder.LITTLE_ENDIAN);
    this.vectors = open(partial(target), anew);
    try {
      this.ids = open(partial(idsFile(target)), anew);
    } catch (IOException | RuntimeException | Error e) {
      vectors.close();
      throw e;
    }
  }

  private static FileChannel open(Path file, boolean anew) throws IOException {
    return anew
        ? FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)
        : FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /**
   * Starts a file anew.
   *
   * @param dimensions of each vector
   * @param metadata what to say about the vectors, where the format has a place for it
   */
  public static VectorFile create(
      Path target, Kind kind, int dimensions, Map<String, String> metadata) throws IOException {
    VectorFile file = new VectorFile(target, kind, dimensions, metadata, true);
    try {
      write(file.vectors, 0, ByteBuffer.wrap(file.header(0)));
      file.vectors.position(file.headerLength);
      file.ids.write(ByteBuffer.wrap(bytes("[\n")));
      return file;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /**
   * Goes on after the first {@code count} vectors of a file that was not finished; what follows
   * them is cut off. To be called with what {@link #complete} has found, or less.
   */
  public static VectorFile append(
      Path target, Kind kind, int dimensions, Map<String, String> metadata, long count)
      throws IOException {
    VectorFile file = new VectorFile(target, kind, dimensions, metadata, false);
    try {
      file.vectors.truncate(file.headerLength + count * 4 * dimensions);
      file.vectors.position(file.vectors.size());
      file.ids.position(file.ids.size());
      file.count = count;
      return file;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /**
   * How many vectors an unfinished file holds whole.
   *
   * @return -1 if it is none that {@link #create} started with the same arguments
   */
  public static long complete(Path target, Kind kind, int dimensions, Map<String, String> metadata)
      throws IOException {
    try (VectorFile file = new VectorFile(target, kind, dimensions, metadata, false)) {
      byte[] found = new byte[file.headerLength];
      ByteBuffer buffer = ByteBuffer.wrap(found);
      while (buffer.hasRemaining() && file.vectors.read(buffer) >= 0) {
        // Reads until the header is there or the file ends.
      }
      return Arrays.equals(found, file.header(0))
          ? (file.vectors.size() - file.headerLength) / (4L * dimensions)
          : -1;
    }
  }

  /** The file beside {@code target} that has the ids. */
  public static Path idsFile(Path target) {
    String name = String.valueOf(target.getFileName());
    int dot = name.lastIndexOf('.');
    return target.resolveSibling((dot > 0 ? name.substring(0, dot) : name) + ".ids.json");
  }

  /** The name of {@code file} until it is finished. */
  public static Path partial(Path file) {
    return file.resolveSibling(file.getFileName() + ".partial");
  }

  /** Writes one vector and its id. */
  public void append(String id, float[] vector) throws IOException {
    if (vector.length != dimensions) {
      throw new IllegalArgumentException(
          "a vector of " + vector.length + " numbers among those of " + dimensions);
    }
    if (vectorBuffer.remaining() < 4 * dimensions) {
      flush();
    }
    for (float value : vector) {
      vectorBuffer.putFloat(value);
    }
    byte[] line =
        bytes("\"" + new String(JsonStringEncoder.getInstance().quoteAsString(id)) + "\",\n");
    if (idBuffer.remaining() < line.length) {
      flush();
    }
    if (idBuffer.remaining() < line.length) {
      AtomicFile.drain(ids, ByteBuffer.wrap(line));
    } else {
      idBuffer.put(line);
    }
    count++;
  }

  /** Hands what is buffered to the system. */
  public void flush() throws IOException {
    AtomicFile.drain(vectors, vectorBuffer.flip());
    vectorBuffer.clear();
    AtomicFile.drain(ids, idBuffer.flip());
    idBuffer.clear();
  }

  /** All is written: the files get their names. */
  public void commit() throws IOException {
    flush();
    Path partial = partial(target);
    Path partialIds = partial(idsFile(target));
    write(vectors, 0, ByteBuffer.wrap(header(count)));
    if (count > 0) {
      ids.position(ids.position() - 2);
    }
    AtomicFile.drain(ids, ByteBuffer.wrap(bytes("\n]\n")));
    if (kind == Kind.PARQUET) {
      Path whole = target.resolveSibling(target.getFileName() + ".unfinished");
      try (Arena arena = Arena.ofConfined();
          ParquetFile parquet = new ParquetFile(whole, dimensions, metadata);
          VectorIds names = new VectorIds(partialIds)) {
        long row = 4L * dimensions;
        MemorySegment rows =
            vectors.map(FileChannel.MapMode.READ_ONLY, headerLength, count * row, arena);
        float[] vector = new float[dimensions];
        for (long i = 0; i < count; i++) {
          MemorySegment.copy(rows, FLOAT, i * row, vector, 0, dimensions);
          parquet.append(names.next(), vector);
        }
        parquet.finish();
      }
      close();
      AtomicFile.move(whole, target);
      Files.delete(partialIds);
      Files.delete(partial);
    } else {
      vectors.force(false);
      ids.force(false);
      close();
      AtomicFile.move(partialIds, idsFile(target));
      AtomicFile.move(partial, target);
    }
  }

  private byte[] header(long rows) {
    return kind == Kind.NPY ? npy(rows, dimensions) : safetensors(rows, headerLength);
  }

  /** Format 1.0 of numpy.lib.format, padded so that the vectors start on a cache line. */
  static byte[] npy(long rows, int columns) {
    String description =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows + ", " + columns + "), }";
    ByteBuffer header = ByteBuffer.allocate(NPY_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.put((byte) 0x93).put(bytes("NUMPY")).put((byte) 1).put((byte) 0);
    header.putShort((short) (NPY_HEADER - header.position() - 2));
    header.put(bytes(description));
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }

  /** Padded with spaces to {@code length} or, where that is 0, to a whole cache line. */
  private byte[] safetensors(long rows, int length) {
    long bytes = length == 0 ? Long.MAX_VALUE : rows * 4 * dimensions;
    Map<String, Object> tensor = new LinkedHashMap<>();
    tensor.put("dtype", "F32");
    tensor.put("shape", List.of(rows, (long) dimensions));
    tensor.put("data_offsets", List.of(0L, bytes));
    Map<String, Object> content = new LinkedHashMap<>();
    content.put("__metadata__", metadata);
    content.put("embeddings", tensor);
    byte[] json = bytes(Json.write(content).replaceAll("\\n *", " "));
    int size = length == 0 ? Math.ceilDiv(8 + json.length, 64) * 64 : length;
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(size - 8).put(json);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.array();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void write(FileChannel channel, long position, ByteBuffer buffer)
      throws IOException {
    long at = position;
    while (buffer.hasRemaining()) {
      at += channel.write(buffer, at);
    }
  }

  /** Writes out what is buffered. Without {@link #commit} the partial files stay. */
  @Override
  public void close() throws IOException {
    try (vectors;
        ids) {
      if (vectors.isOpen() && vectorBuffer.position() > 0) {
        flush();
      }
    }
  }
}
