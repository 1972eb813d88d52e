package dev.tessera.cli;

import dev.tessera.model.TextEmbedder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A vector for each line of text, some at a time, so that memory does not grow with their number.
 */
final class EmbedTexts {
  /** Enough that texts of every length find others of theirs. */
  private static final int LINES = 2048;

  private final TextEmbedder embedder;
  private final TextLines lines;
  private final Terminal terminal;
  private long done;

  EmbedTexts(TextEmbedder embedder, TextLines lines, Terminal terminal) {
    this.embedder = embedder;
    this.lines = lines;
    this.terminal = terminal;
  }

  /** How many texts have a vector by now. */
  long done() {
    return done;
  }

  /** Writes the vectors of all lines. */
  int run(EmbeddingRows rows) throws IOException, Failure {
    try (rows) {
      List<String> block = new ArrayList<>(LINES);
      for (String line = lines.next(); ; line = lines.next()) {
        if (line != null) {
          block.add(line);
        }
        if (block.size() == LINES || (line == null && !block.isEmpty())) {
          float[][] vectors = embedder.embed(block);
          for (int i = 0; i < vectors.length; i++) {
            rows.append(block.get(i), vectors[i]);
          }
          done += block.size();
          block.clear();
        }
        if (line == null) {
          break;
        }
      }
      rows.commit();
    }
    return ExitCode.OK;
  }

  /** Passes over the lines that an interrupted run has written, and cuts off a half record. */
  void resume(RecordedFiles recorded, Path file) throws IOException, Failure {
    for (String text = recorded.next(); text != null; text = recorded.next()) {
      String line = lines.next();
      done++;
      if (!text.equals(line)) {
        throw new Failure(
            ExitCode.USAGE,
            file
                + " was written for other texts: its result "
                + done
                + " is for another line; remove it or run without --resume");
      }
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(recorded.completeBytes());
    }
    terminal.message("tessera: resuming after " + done + " texts");
  }
}
