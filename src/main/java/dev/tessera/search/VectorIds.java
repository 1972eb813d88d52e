package dev.tessera.search;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/** Reads the ids beside a {@link VectorFile}, one at a time. */
final class VectorIds implements Closeable {
  private final Path file;
  private final JsonParser json;

  VectorIds(Path file) throws IOException {
    this.file = file;
    this.json = new JsonFactory().createParser(file.toFile());
    json.nextToken();
  }

  /** The next id. */
  String next() throws IOException {
    if (json.nextToken() != JsonToken.VALUE_STRING) {
      throw new IOException(file + " has fewer ids than there are vectors");
    }
    return json.getText();
  }

  @Override
  public void close() throws IOException {
    json.close();
  }
}
