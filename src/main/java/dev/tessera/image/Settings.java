package dev.tessera.image;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Typed access to a parsed JSON object; what is absent or null takes the default. */
record Settings(String file, Map<String, ? extends @Nullable Object> json) {
  @Nullable Object raw(String key) {
    return json.get(key);
  }

  boolean has(String key) {
    return json.get(key) != null;
  }

  /** A nested object, or null if there is none under {@code key}. */
  @SuppressWarnings("unchecked")
  @Nullable Settings object(String key) {
    return json.get(key) instanceof Map<?, ?> map
        ? new Settings(file, (Map<String, ? extends @Nullable Object>) map)
        : null;
  }

  boolean flag(String key, boolean absent) {
    return switch (json.get(key)) {
      case null -> absent;
      case Boolean value -> value;
      case Object other -> throw unusable(key, other);
    };
  }

  double number(String key, double absent) {
    return switch (json.get(key)) {
      case null -> absent;
      case Number value -> value.doubleValue();
      case Object other -> throw unusable(key, other);
    };
  }

  /** A whole number from 1 to 65535, as sizes are. */
  int size(String key, int absent) {
    return switch (json.get(key)) {
      case null -> absent;
      case Object value -> size(key, value);
    };
  }

  int size(String key, @Nullable Object value) {
    if (value instanceof Number number) {
      double size = number.doubleValue();
      if (size >= 1 && size <= 65535 && size == Math.rint(size)) {
        return (int) size;
      }
    }
    throw unusable(key, value);
  }

  String text(String key, String absent) {
    return switch (json.get(key)) {
      case null -> absent;
      case String value -> value;
      case Object other -> throw unusable(key, other);
    };
  }

  /** One number per channel; a single number or a list of one serves all channels. */
  double[] perChannel(String key, int channels, double... absent) {
    Object value = json.get(key);
    double[] values =
        switch (value) {
          case null -> absent.clone();
          case Number number -> new double[] {number.doubleValue()};
          case List<?> list -> {
            double[] numbers = new double[list.size()];
            for (int i = 0; i < numbers.length; i++) {
              if (!(list.get(i) instanceof Number number)) {
                throw unusable(key, value);
              }
              numbers[i] = number.doubleValue();
            }
            yield numbers;
          }
          case Object other -> throw unusable(key, other);
        };
    if (values.length == 1 || (value == null && channels == 1)) {
      double[] all = new double[channels];
      java.util.Arrays.fill(all, values[0]);
      return all;
    }
    if (values.length != channels) {
      throw new IllegalArgumentException(
          "%s: %s has %d values for %d channels".formatted(file, key, values.length, channels));
    }
    return values;
  }

  IllegalArgumentException unusable(String key, @Nullable Object value) {
    return new IllegalArgumentException("%s: cannot use %s %s".formatted(file, key, value));
  }
}
