package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Json;
import dev.tessera.graph.Activation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings in a {@code config.json}, read with the defaults that the model's class in {@code
 * transformers} has: a key that is absent or null takes the default, a value that makes no sense is
 * a {@link CheckpointException} that names the key.
 *
 * @param file named in errors
 * @param values the JSON object
 */
record ModelConfig(Path file, Map<String, @Nullable Object> values) {
  /** Bounds every extent, so that products of a few of them fit in a {@code long}. */
  static final int MAX_EXTENT = 1 << 20;

  private static final Map<String, Activation> ACTIVATIONS =
      Map.ofEntries(
          Map.entry("gelu", Activation.GELU),
          Map.entry("gelu_python", Activation.GELU),
          Map.entry("gelu_new", Activation.GELU_TANH),
          Map.entry("gelu_fast", Activation.GELU_TANH),
          Map.entry("gelu_pytorch_tanh", Activation.GELU_TANH),
          Map.entry("gelu_python_tanh", Activation.GELU_TANH),
          Map.entry("gelu_accurate", Activation.GELU_TANH),
          // timm's name of it
          Map.entry("gelu_tanh", Activation.GELU_TANH),
          Map.entry("quick_gelu", Activation.QUICK_GELU),
          Map.entry("relu", Activation.RELU),
          Map.entry("silu", Activation.SILU),
          Map.entry("swish", Activation.SILU),
          Map.entry("tanh", Activation.TANH),
          Map.entry("sigmoid", Activation.SIGMOID),
          Map.entry("linear", Activation.IDENTITY));

  /** Two extents, of an image, a patch or a grid. */
  record Size(int height, int width) {}

  /** The object under {@code key}, with errors naming the same file; empty if there is none. */
  ModelConfig section(String key) {
    Map<String, @Nullable Object> section = Json.asObject(values.get(key));
    return new ModelConfig(file, section == null ? Map.of() : section);
  }

  boolean has(String key) {
    return values.get(key) != null;
  }

  /** A whole number from 1 to 2²⁰. */
  int extent(String key, int fallback) throws CheckpointException {
    return integer(key, fallback, 1);
  }

  /** A whole number from 0 to 2²⁰. */
  int count(String key, int fallback) throws CheckpointException {
    return integer(key, fallback, 0);
  }

  private int integer(String key, int fallback, int minimum) throws CheckpointException {
    Object value = values.get(key);
    return value == null ? fallback : integer(key, value, minimum);
  }

  private int integer(String key, Object value, int minimum) throws CheckpointException {
    if (value instanceof Number number
        && number.doubleValue() == number.longValue()
        && number.longValue() >= minimum
        && number.longValue() <= MAX_EXTENT) {
      return number.intValue();
    }
    throw wrong(key, "a whole number from " + minimum + " to " + MAX_EXTENT);
  }

  /** A finite number of at least 0. */
  double number(String key, double fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Number number
        && number.doubleValue() >= 0
        && number.doubleValue() <= Float.MAX_VALUE) {
      return number.doubleValue();
    }
    throw wrong(key, "a number of at least 0");
  }

  boolean flag(String key, boolean fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, "true or false");
  }

  String text(String key, String fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return fallback;
    }
    if (value instanceof String text) {
      return text;
    }
    throw wrong(key, "a string");
  }

  /** One number for both extents, or a list {@code [height, width]}. */
  Size size(String key, int fallback) throws CheckpointException {
    Object value = values.get(key);
    if (value == null) {
      return new Size(fallback, fallback);
    }
    if (value instanceof List<?> list) {
      if (list.size() == 2 && list.getFirst() != null && list.getLast() != null) {
        return new Size(integer(key, list.getFirst(), 1), integer(key, list.getLast(), 1));
      }
      throw wrong(key, "a whole number or a list of two");
    }
    int extent = integer(key, value, 1);
    return new Size(extent, extent);
  }

  /** timm's {@code input_size}: {@code [channels, height, width]}. */
  Size inputSize() throws CheckpointException {
    if (values.get("input_size") instanceof List<?> list && list.size() == 3) {
      Object height = list.get(1);
      Object width = list.get(2);
      if (height != null && width != null) {
        return new Size(integer("input_size", height, 1), integer("input_size", width, 1));
      }
    }
    throw wrong("input_size", "a list of channels, height and width");
  }

  /** An activation under the name that {@code transformers} or timm has for it. */
  Activation activation(String key, String fallback) throws CheckpointException {
    String name = text(key, fallback);
    Activation activation = ACTIVATIONS.get(name);
    if (activation == null) {
      throw new CheckpointException(
          file,
          key
              + " "
              + Json.describe(name)
              + " is not supported; supported are "
              + String.join(", ", ACTIVATIONS.keySet().stream().sorted().toList()));
    }
    return activation;
  }

  /** The first of {@code architectures}, or {@code fallback}. */
  String architecture(String fallback) {
    return values.get("architectures") instanceof List<?> list
            && !list.isEmpty()
            && list.getFirst() instanceof String name
        ? name
        : fallback;
  }

  /** The error that {@code key} has another value than {@code wanted}. */
  CheckpointException wrong(String key, String wanted) {
    return new CheckpointException(
        file, key + " is " + Json.describe(values.get(key)) + " but must be " + wanted);
  }
}
