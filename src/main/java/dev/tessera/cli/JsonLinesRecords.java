package dev.tessera.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;

/** Reads back objects that start with a file's name, as {@link JsonLinesFormat} writes them. */
final class JsonLinesRecords extends RecordedFiles {
  private final JsonFactory json = new JsonFactory();

  private final String key;

  /**
   * @param key of the file's name in each object
   */
  JsonLinesRecords(Path file, String key) throws IOException {
    super(file);
    this.key = key;
  }

  @Override
  boolean endsRecord(int quotes) {
    return true;
  }

  @Override
  String fileOf(String record) throws IOException, Failure {
    try (JsonParser parser = json.createParser(record)) {
      if (parser.nextToken() == JsonToken.START_OBJECT
          && key.equals(parser.nextFieldName())
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
