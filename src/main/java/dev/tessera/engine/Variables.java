package dev.tessera.engine;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Named arrays that graphs change while they run: the parameters of a model in training and what
 * its optimiser remembers. Read them to save a training, write them to resume one; not while a
 * graph that uses them runs.
 */
public final class Variables {
  /** No variables. */
  public static final Variables NONE = new Variables(Map.of());

  private final Map<String, float[]> arrays;

  private Variables(Map<String, float[]> arrays) {
    this.arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
  }

  /** Over the given arrays themselves, not copies. */
  public static Variables of(Map<String, float[]> arrays) {
    return new Variables(arrays);
  }

  /** Copies of tensors of any floating type. */
  public static Variables copyOf(Map<String, Tensor> tensors) {
    Map<String, float[]> arrays = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> arrays.put(name, tensor.toFloats()));
    return new Variables(arrays);
  }

  public Set<String> names() {
    return arrays.keySet();
  }

  /**
   * The array itself.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public float[] get(String name) {
    float[] array = arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException("no variable " + name);
    }
    return array;
  }

  /** As {@link #get(String)}, after checking that the array is as long as the shape says. */
  public float[] get(String name, Shape shape) {
    float[] array = get(name);
    if (array.length != shape.elements()) {
      throw new IllegalArgumentException(
          "variable " + name + " has " + array.length + " elements, the graph needs " + shape);
    }
    return array;
  }

  /** Those whose names start with {@code prefix}, without it: the same arrays. */
  public Variables under(String prefix) {
    Map<String, float[]> some = new LinkedHashMap<>();
    arrays.forEach((name, array) -> {
      if (name.startsWith(prefix)) {
        some.put(name.substring(prefix.length()), array);
      }
    });
    return new Variables(some);
  }
}
