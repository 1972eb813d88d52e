package dev.tessera.engine;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Named arrays that graphs change while they run: the parameters of a model in training and what
 * its optimiser remembers. Read them to save a training, write them to resume one; not while a
 * graph that uses them runs.
 *
 * <p>A device may keep what it changed until somebody asks: after a run, {@link #get} each array
 * anew before reading or writing it. Graphs of one engine see each other's changes.
 */
public final class Variables {
  /** No variables. */
  public static final Variables NONE = new Variables(Map.of());

  private final Map<String, Variable> variables;

  private Variables(Map<String, Variable> variables) {
    this.variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
  }

  /** Over the given arrays themselves, not copies. */
  public static Variables of(Map<String, float[]> arrays) {
    Map<String, Variable> variables = new LinkedHashMap<>();
    arrays.forEach((name, array) -> variables.put(name, new Variable(array)));
    return new Variables(variables);
  }

  /** Copies of tensors of any floating type. */
  public static Variables copyOf(Map<String, Tensor> tensors) {
    Map<String, float[]> arrays = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> arrays.put(name, tensor.toFloats()));
    return of(arrays);
  }

  /** What has newer values of some variables than their arrays. */
  public interface Holder {
    /** Writes all that it holds into the arrays, and {@link Variable#release}s it. */
    void settle();
  }

  /** One of the arrays, and who has newer values of it; for engines. */
  public static final class Variable {
    private final float[] array;
    private @Nullable Holder holder;
    private long changes;

    private Variable(float[] array) {
      this.array = array;
    }

    /** The array, which is out of date as long as somebody {@linkplain #holdBy holds} it. */
    public float[] array() {
      return array;
    }

    /** Grows whenever values may have changed. */
    public long changes() {
      return changes;
    }

    /** Says that values changed: the array has the new ones. */
    public void changed() {
      changes++;
    }

    /** Says that values changed, and who has the new ones. */
    public void holdBy(Holder newest) {
      holder = newest;
      changes++;
    }

    /** Says that the array is up to date. */
    public void release() {
      holder = null;
    }

    /** Brings the array up to date unless {@code reader} itself has what is newer. */
    public void settleFor(@Nullable Holder reader) {
      if (holder != null && !holder.equals(reader)) {
        holder.settle();
      }
    }
  }

  public Set<String> names() {
    return variables.keySet();
  }

  /**
   * The array itself, up to date until the next run.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  public float[] get(String name) {
    Variable variable = variable(name);
    variable.settleFor(null);
    variable.changed(); // for all that anybody knows, from now on
    return variable.array;
  }

  /** As {@link #get(String)}, after checking that the array is as long as the shape says. */
  public float[] get(String name, Shape shape) {
    variable(name, shape);
    return get(name);
  }

  /** For engines that keep values elsewhere, after the same checks. */
  public Variable variable(String name, Shape shape) {
    Variable variable = variable(name);
    if (variable.array.length != shape.elements()) {
      throw new IllegalArgumentException(
          "variable "
              + name
              + " has "
              + variable.array.length
              + " elements, the graph needs "
              + shape);
    }
    return variable;
  }

  private Variable variable(String name) {
    Variable variable = variables.get(name);
    if (variable == null) {
      throw new IllegalArgumentException("no variable " + name);
    }
    return variable;
  }

  /** Those whose names start with {@code prefix}, without it: the same arrays. */
  public Variables under(String prefix) {
    Map<String, Variable> some = new LinkedHashMap<>();
    variables.forEach((name, variable) -> {
      if (name.startsWith(prefix)) {
        some.put(name.substring(prefix.length()), variable);
      }
    });
    return new Variables(some);
  }
}
