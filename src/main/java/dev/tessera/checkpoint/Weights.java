package dev.tessera.checkpoint;

import dev.tessera.checkpoint.NameMap.Source;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;

/**
 * The parameters of a checkpoint under their canonical names (see {@link NameMap}), as views of the
 * mapped file wherever the file holds them in one piece.
 */
public final class Weights {
  private final Path file;
  private final SequencedMap<String, Tensor> tensors;
  private final Map<String, String> unreadable;
  private final SequencedMap<String, Source> sources;

  /**
   * @param file named in errors: the weights file or the index of its shards
   * @param family the base model's prefix, as {@link NameMap#of} takes it
   * @param tensors the file's tensors under the file's names
   * @param unreadable tensors of a type that is not read: name to type
   * @throws CheckpointException if two tensors are one parameter
   */
  public Weights(
      Path file,
      String family,
      SequencedMap<String, Tensor> tensors,
      Map<String, String> unreadable)
      throws CheckpointException {
    this.file = file;
    this.tensors = tensors;
    this.unreadable = unreadable;
    SequencedSet<String> names = new LinkedHashSet<>(tensors.sequencedKeySet());
    names.addAll(unreadable.keySet());
    try {
      this.sources = NameMap.of(family, names).sources();
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(file, e.getMessage() + "; remove one of them", e);
    }
  }

  /** The file named in errors. */
  public Path file() {
    return file;
  }

  /** True if the checkpoint holds the parameter. */
  public boolean has(String name) {
    return sources.containsKey(name);
  }

  /** The canonical names, in the order of the file. */
  public SequencedSet<String> names() {
    return sources.sequencedKeySet();
  }

  /**
   * The parameter called {@code name}.
   *
   * @throws CheckpointException if the checkpoint lacks it, or holds it in a type that is not read
   */
  public Tensor get(String name) throws CheckpointException {
    Source source = sources.get(name);
    if (source == null) {
      throw new CheckpointException(
          file,
          "lacks the parameter "
              + name
              + "; check that config.json and the weights belong to the same model");
    }
    return switch (source) {
      case Source.Whole(String stored) -> stored(stored);
      case Source.Rows(String stored, int part, int parts) -> {
        Tensor packed = stored(stored);
        int rows = packed.shape().rank() == 0 ? 0 : packed.shape().extent(0);
        if (rows == 0 || rows % parts != 0) {
          throw new CheckpointException(
              file,
              "holds "
                  + stored
                  + " with shape "
                  + packed.shape()
                  + ", which cannot be cut into "
                  + parts
                  + " equal parts; save the model again");
        }
        yield packed.slice(part * (rows / parts), (part + 1) * (rows / parts));
      }
      case Source.Stacked(List<String> names) -> stack(names);
      case Source.Transposed(String stored) -> transposed(stored);
    };
  }

  /**
   * The file's tensors under the file's names, with some parameters replaced: what {@link #get}
   * takes apart is put together again. Parameters that the file does not hold come last, under
   * their canonical names.
   *
   * @param replaced F32 tensors by canonical name, in the shapes of the parameters
   */
  public SequencedMap<String, Tensor> with(Map<String, Tensor> replaced)
      throws CheckpointException {
    SequencedMap<String, Tensor> result = new LinkedHashMap<>(tensors);
    Map<String, Tensor> copies = new HashMap<>();
    for (Map.Entry<String, Tensor> entry : replaced.entrySet()) {
      Tensor tensor = entry.getValue();
      switch (sources.get(entry.getKey())) {
        case null -> result.put(entry.getKey(), tensor);
        case Source.Whole(String name) ->
            result.put(name, tensor.reshape(fitting(stored(name), tensor)));
        case Source.Rows(String name, int part, int _) -> {
          Tensor packed = stored(name);
          Tensor whole =
              copies.computeIfAbsent(name, key -> Tensor.of(packed.shape(), packed.toFloats()));
          result.put(name, whole);
          long bytes = tensor.data().byteSize();
          MemorySegment.copy(tensor.data(), 0, whole.data(), part * bytes, bytes);
        }
        case Source.Transposed(String name) -> result.put(name, transpose(tensor));
        case Source.Stacked(List<String> names) -> {
          int row = 0;
          for (String name : names) {
            int rows = stored(name).shape().extent(0);
            result.put(name, tensor.slice(row, row + rows));
            row += rows;
          }
        }
      }
    }
    return result;
  }

  /** The file's shape where it only differs in how axes are joined, else the new one. */
  private static Shape fitting(Tensor stored, Tensor tensor) {
    return stored.shape().elements() == tensor.shape().elements() ? stored.shape() : tensor.shape();
  }

  /** Names in the file that none of the {@code used} canonical parameters comes from. */
  public List<String> unused(Set<String> used) {
    Set<String> needed = new LinkedHashSet<>();
    for (String name : used) {
      Source source = sources.get(name);
      if (source != null) {
        needed.addAll(source.names());
      }
    }
    List<String> unused = new ArrayList<>();
    sources.values().stream()
        .flatMap(source -> source.names().stream())
        .distinct()
        .filter(name -> !needed.contains(name))
        .forEach(unused::add);
    return unused;
  }

  private Tensor stored(String name) throws CheckpointException {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointException(
          file,
          SafetensorsHeader.unreadableType(
              name, unreadable.getOrDefault(name, "of no known kind")));
    }
    return tensor;
  }

  private Tensor transposed(String name) throws CheckpointException {
    Tensor matrix = stored(name);
    if (matrix.shape().rank() != 2) {
      throw new CheckpointException(
          file,
          "holds "
              + name
              + " with shape "
              + matrix.shape()
              + " but a matrix is needed; save it again");
    }
    return transpose(matrix);
  }

  /** A copy, element by element of whatever size. */
  private static Tensor transpose(Tensor matrix) {
    int rows = matrix.shape().extent(0);
    int columns = matrix.shape().extent(1);
    int bytes = matrix.dtype().bytes();
    Tensor result = Tensor.allocate(Arena.ofAuto(), matrix.dtype(), Shape.of(columns, rows));
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        MemorySegment.copy(
            matrix.data(),
            ((long) row * columns + column) * bytes,
            result.data(),
            ((long) column * rows + row) * bytes,
            bytes);
      }
    }
    return result;
  }

  private Tensor stack(List<String> names) throws CheckpointException {
    Tensor first = stored(names.getFirst());
    int rows = 0;
    for (String name : names) {
      Tensor tensor = stored(name);
      if (tensor.dtype() != first.dtype()
          || tensor.shape().rank() == 0
          || !tensor.shape().with(0, 0).equals(first.shape().with(0, 0))) {
        throw new CheckpointException(
            file,
            "holds "
                + names.getFirst()
                + " as "
                + first.dtype()
                + " "
                + first.shape()
                + " but "
                + name
                + " as "
                + tensor.dtype()
                + " "
                + tensor.shape()
                + ", which must match; save the model again");
      }
      rows = Math.addExact(rows, tensor.shape().extent(0));
    }
    Shape shape = first.shape().with(0, rows);
    Tensor stacked = Tensor.allocate(Arena.ofAuto(), first.dtype(), shape);
    long offset = 0;
    for (String name : names) {
      MemorySegment data = stored(name).data();
      MemorySegment.copy(data, 0, stacked.data(), offset, data.byteSize());
      offset += data.byteSize();
    }
    return stacked;
  }
}
