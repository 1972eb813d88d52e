package dev.tessera.checkpoint;

import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A memory-mapped file in the <a href="https://github.com/huggingface/safetensors">safetensors</a>
 * format: eight bytes of little-endian header length, a JSON header, then the tensors' bytes.
 *
 * <p>The header is untrusted: every length, offset and shape in it is checked against the file
 * before it is believed. Tensors are views of the mapped file, so opening costs the header only;
 * they must not be used after {@link #close}.
 */
public final class Safetensors implements AutoCloseable {
  /** Longest header that is read, the same as in the format's own implementation. */
  public static final long MAX_HEADER_BYTES = 100_000_000;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final Arena arena;
  private final Map<String, String> metadata;
  private final SequencedMap<String, Tensor> tensors;
  private final SequencedMap<String, String> unreadable;

  private Safetensors(Path file, Arena arena, SafetensorsHeader header, MemorySegment data) {
    this.file = file;
    this.arena = arena;
    this.metadata = header.metadata();
    SequencedMap<String, Tensor> readable = new LinkedHashMap<>();
    SequencedMap<String, String> other = new LinkedHashMap<>();
    header
        .entries()
        .forEach((name, entry) -> {
          if (entry.dtype() == null) {
            other.put(name, entry.dtypeName());
          } else {
            MemorySegment bytes = data.asSlice(entry.begin(), entry.end() - entry.begin());
            readable.put(name, new Tensor(entry.dtype(), entry.shape(), bytes));
          }
        });
    this.tensors = Collections.unmodifiableSequencedMap(readable);
    this.unreadable = Collections.unmodifiableSequencedMap(other);
  }

  /**
   * Maps {@code file} and checks its header.
   *
   * @throws CheckpointException if it is no intact safetensors file
   */
  public static Safetensors open(Path file) throws IOException {
    // Opening a named pipe would wait for ever, and mapping a directory fails without saying why.
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file,
          Files.exists(file)
              ? "is not a regular file; give the path of a .safetensors file"
              : "does not exist; check the path");
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      MemorySegment all = channel.map(MapMode.READ_ONLY, 0, size, arena);
      long length = size < 8 ? 0 : all.get(LENGTH, 0);
      if (length < 2 || length > MAX_HEADER_BYTES || length > size - 8) {
        throw SafetensorsHeader.noHeader(file, all);
      }
      MemorySegment data = all.asSlice(8 + length);
      SafetensorsHeader header =
          SafetensorsHeader.parse(file, all.asSlice(8, length), data.byteSize());
      return new Safetensors(file, arena, header, data);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Writes {@code tensors} to {@code file}, beside it first and then moved, so that no half file is
   * ever seen under that name. Wider element types come first, which keeps every tensor aligned to
   * its element size; otherwise the map's order is kept.
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    SafetensorsWriter.write(file, tensors, metadata);
  }

  public Path file() {
    return file;
  }

  /** The header's {@code __metadata__}; empty if it has none. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The tensors in the order of their bytes, without those of {@link #unreadable}. */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  /** Tensors of an element type that Tessera does not read, such as F8_E4M3: name to type. */
  public SequencedMap<String, String> unreadable() {
    return unreadable;
  }

  /**
   * The tensor called {@code name}.
   *
   * @throws CheckpointException if there is none or its element type cannot be read
   */
  public Tensor tensor(String name) throws CheckpointException {
    Tensor tensor = tensors.get(name);
    if (tensor != null) {
      return tensor;
    }
    String dtype = unreadable.get(name);
    throw new CheckpointException(
        file,
        dtype == null
            ? "has no tensor \"" + name + "\""
            : SafetensorsHeader.unreadableType(name, dtype));
  }

  /** Unmaps the file: its tensors must not be used any more. */
  @Override
  public void close() {
    arena.close();
  }
}
