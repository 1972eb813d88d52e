package dev.tessera.cli;

import java.io.IOException;
import java.nio.file.Path;

/** Reads back what {@link CsvFormat} has written. */
final class CsvRecords extends RecordedFiles {
  /**
   * @param header that this run would write
   */
  CsvRecords(Path file, String header) throws IOException, Failure {
    super(file);
    String found = record();
    if (found != null && !found.equals(header)) {
      close();
      throw unreadable();
    }
  }

  @Override
  boolean endsRecord(int quotes) {
    return quotes % 2 == 0;
  }

  @Override
  String fileOf(String record) {
    if (!record.startsWith("\"")) {
      return record.substring(0, Math.max(0, record.indexOf(',')));
    }
    StringBuilder file = new StringBuilder();
    for (int i = 1; i < record.length(); i++) {
      char c = record.charAt(i);
      if (c == '"') {
        i++;
        if (i == record.length() || record.charAt(i) != '"') {
          break;
        }
      }
      file.append(c);
    }
    return file.toString();
  }
}
