package dev.tessera.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;

/** Reads back what {@link JsonLinesFormat} has written. */
final class JsonLinesRecords extends RecordedFiles {
  private final JsonFactory json = new JsonFactory();

  JsonLinesRecords(Path file) throws IOException {
    super(file);
  }

  @Override
  boolean endsRecord(int quotes) {
    return true;
  }

  @Override
  String fileOf(String record) throws IOException, Failure {
    try (JsonParser parser = json.createParser(record)) {
      if (parser.nextToken() == JsonToken.START_OBJECT
          && "file".equals(parser.nextFieldName())
          && parser.nextToken() == JsonToken.VALUE_STRING) {
        String file = parser.getText();
        while (parser.nextToken() != null) {
          // The rest must be well-formed, too.
        }
        return file;
      }
    } catch (JsonProcessingException e) {
      throw unreadable();
    }
    throw unreadable();
  }
}
