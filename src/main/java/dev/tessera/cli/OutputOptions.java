package dev.tessera.cli;

import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --format} and {@code --output} of commands whose results are lines. */
final class OutputOptions {
  /** How results are written. */
  enum Format {
    TABLE,
    CSV,
    JSONL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      description =
          "${COMPLETION-CANDIDATES}. Default: as the name of --output ends, otherwise table.")
  private @Nullable Format format;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write here, not to standard output: to FILE.partial until all is done.")
  private @Nullable Path output;

  /** The file to write; null for standard output. */
  @Nullable Path file() {
    return output;
  }

  /** The format asked for, or what the name of the file says. */
  Format format() {
    if (format != null) {
      return format;
    }
    String name = output == null ? "" : output.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".jsonl") || name.endsWith(".json")
        ? Format.JSONL
        : name.endsWith(".csv") ? Format.CSV : Format.TABLE;
  }

  ResultOutput open() throws Failure {
    return ResultOutput.to(output);
  }
}
