package dev.tessera.checkpoint;

import dev.tessera.checkpoint.NameMap.Source;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
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
    };
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
