package dev.tessera.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.tessera.search.VectorFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads back the ids beside an unfinished {@link VectorFile}: as many as it has whole vectors. */
final class IdRecords extends RecordedFiles {
  private final JsonFactory json = new JsonFactory();

  private IdRecords(Path ids) throws IOException, Failure {
    super(ids);
    String start = record();
    if (start != null && !start.equals("[\n")) {
      close();
      throw unreadable();
    }
  }

  static IdRecords of(EmbeddingRows.Plan plan, Path target) throws IOException, Failure {
    Path ids = VectorFile.partial(VectorFile.idsFile(target));
    long vectors =
        VectorFile.complete(target, plan.format().kind(), plan.dimensions(), plan.metadata());
    if (vectors < 0) {
      throw new Failure(
          ExitCode.USAGE,
          VectorFile.partial(target)
              + " was written with another model or other options; remove it or run without"
              + " --resume");
    }
    long bytes;
    try (IdRecords records = new IdRecords(ids)) {
      long count = 0;
      while (count < vectors && records.next() != null) {
        count++;
      }
      bytes = records.completeBytes();
    }
    if (bytes == 0) {
      Files.writeString(ids, "[\n");
    } else {
      try (FileChannel channel = FileChannel.open(ids, StandardOpenOption.WRITE)) {
        channel.truncate(bytes);
      }
    }
    return new IdRecords(ids);
  }

  @Override
  boolean endsRecord(int quotes) {
    return true;
  }

  @Override
  String fileOf(String record) throws IOException, Failure {
    try (JsonParser parser = json.createParser(record)) {
      if (parser.nextToken() == JsonToken.VALUE_STRING) {
        return parser.getText();
      }
    } catch (JsonProcessingException e) {
      throw unreadable();
    }
    throw unreadable();
  }
}
