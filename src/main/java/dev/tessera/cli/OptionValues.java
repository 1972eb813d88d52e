package dev.tessera.cli;

import dev.tessera.checkpoint.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options of a command as JSON, for running it again. */
final class OptionValues {
  private final CommandSpec spec;
  private final Set<String> left;

  /**
   * @param left names of options, such as {@code --output}, that belong to one run alone
   */
  OptionValues(CommandSpec spec, Set<String> left) {
    this.spec = spec;
    this.left = left;
  }

  /** The options that have a value, given or settled, by their long names. */
  Map<String, Object> read() {
    Map<String, Object> values = new LinkedHashMap<>();
    for (OptionSpec option : options()) {
      Object value = option.getValue();
      if (value instanceof Number || value instanceof Boolean) {
        values.put(name(option), value);
      } else if (value != null) {
        values.put(name(option), value.toString());
      }
    }
    return values;
  }

  /**
   * Gives options the values they have in {@code values}, unless the command line says otherwise.
   *
   * @param file named in errors
   * @return what the command line says otherwise, such as {@code --lr 0.1, not 0.2}
   */
  List<String> apply(Map<String, @Nullable Object> values, Path file, ParseResult parsed)
      throws Failure {
    List<String> differences = new ArrayList<>();
    for (OptionSpec option : options()) {
      if (!values.containsKey(name(option))) {
        continue;
      }
      Object value = value(option, values.get(name(option)), file);
      if (!parsed.hasMatchedOption(option)) {
        set(option, value);
      } else if (!Objects.equals(Objects.toString(option.getValue()), value.toString())) {
        differences.add("--%s %s, not %s".formatted(name(option), option.getValue(), value));
      }
    }
    return differences;
  }

  private List<OptionSpec> options() {
    return spec.options().stream()
        .filter(option -> !option.usageHelp() && !option.versionHelp())
        .filter(option -> !left.contains(option.longestName()))
        .toList();
  }

  private static String name(OptionSpec option) {
    return option.longestName().substring(2);
  }

  private static void set(OptionSpec option, Object value) throws Failure {
    try {
      option.setter().set(value);
    } catch (Exception e) {
      throw new Failure(ExitCode.INTERNAL, "cannot set --" + name(option), e);
    }
  }

  /** JSON's value as the option's type. */
  private static Object value(OptionSpec option, @Nullable Object value, Path file) throws Failure {
    Class<?> type = option.type();
    if (value instanceof Number number) {
      if (type == int.class || type == Integer.class) {
        if (number.doubleValue() == number.intValue()) {
          return number.intValue();
        }
      } else if (type == long.class || type == Long.class) {
        return number.longValue();
      } else if (type == double.class || type == Double.class) {
        return number.doubleValue();
      }
    } else if (value instanceof Boolean && type == boolean.class) {
      return value;
    } else if (value instanceof String text) {
      if (type == String.class) {
        return text;
      } else if (type == Path.class) {
        return Path.of(text);
      } else if (type.isEnum()) {
        for (Object constant : type.getEnumConstants()) {
          if (constant.toString().equals(text.toLowerCase(Locale.ROOT))) {
            return constant;
          }
        }
      }
    }
    throw new Failure(
        ExitCode.USAGE,
        "%s: %s is %s, which --%s does not take; correct it"
            .formatted(file, name(option), Json.describe(value), name(option)));
  }
}
