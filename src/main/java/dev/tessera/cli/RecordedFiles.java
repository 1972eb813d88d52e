package dev.tessera.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The files that an interrupted run has already written results for, read one at a time from its
 * partial output. A last record that was cut off does not count.
 */
abstract class RecordedFiles implements Closeable {
  /** Far above any record; guards against a file that is something else. */
  private static final int MAX_RECORD_BYTES = 1 << 26;

  private final Path file;
  private final InputStream in;
  private long read;
  private long complete;

  RecordedFiles(Path file) throws IOException {
    this.file = file;
    this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
  }

  /** The file of the next complete record, or null after the last. */
  final @Nullable String next() throws IOException, Failure {
    String record = record();
    return record == null ? null : fileOf(record);
  }

  /** How many bytes the complete records read so far take. */
  final long completeBytes() {
    return complete;
  }

  /** Whether a line feed after {@code quotes} quotation marks ends a record. */
  abstract boolean endsRecord(int quotes);

  abstract String fileOf(String record) throws IOException, Failure;

  /** The next complete record with its line end, or null if there is none. */
  final @Nullable String record() throws IOException, Failure {
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    int quotes = 0;
    for (int b = in.read(); b >= 0; b = in.read()) {
      read++;
      record.write(b);
      if (b == '"') {
        quotes++;
      } else if (b == '\n' && endsRecord(quotes)) {
        complete = read;
        return record.toString(StandardCharsets.UTF_8);
      }
      if (record.size() > MAX_RECORD_BYTES) {
        throw unreadable();
      }
    }
    return null;
  }

  final Failure unreadable() {
    return new Failure(
        ExitCode.USAGE,
        file
            + " is not what an interrupted run with these options has left;"
            + " remove it or run without --resume");
  }

  @Override
  public final void close() throws IOException {
    in.close();
  }
}
