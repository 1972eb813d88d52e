package dev.tessera.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The lines of text files, one file after the other, read as they are asked for. */
final class TextLines implements Closeable {
  /** No text of which a model sees more than the beginning. */
  private static final int MAX_BYTES = 1 << 20;

  private final Iterator<String> paths;
  private String name = "";
  private long number;
  private @Nullable InputStream in;

  /**
   * @param paths of files, or - for standard input
   */
  TextLines(List<String> paths) {
    this.paths = paths.iterator();
  }

  /** The next line without its end, empty ones as well, or null after the last. */
  @Nullable String next() throws Failure {
    try {
      while (true) {
        InputStream open = in;
        if (open == null) {
          if (!paths.hasNext()) {
            return null;
          }
          open = open(paths.next());
        }
        String line = line(open);
        if (line != null) {
          return line;
        }
        close();
      }
    } catch (IOException e) {
      throw new Failure(ExitCode.USAGE, name + " cannot be read: " + e.getMessage(), e);
    }
  }

  private InputStream open(String path) throws IOException, Failure {
    name = path.equals("-") ? "standard input" : path;
    number = 0;
    if (!path.equals("-") && !Files.isRegularFile(Path.of(path))) {
      throw new Failure(
          ExitCode.USAGE,
          path + (Files.exists(Path.of(path)) ? " is no text file" : " does not exist"));
    }
    InputStream opened =
        new BufferedInputStream(
            path.equals("-") ? StandardInput.open() : Files.newInputStream(Path.of(path)), 1 << 16);
    in = opened;
    return opened;
  }

  private @Nullable String line(InputStream open) throws IOException, Failure {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int b = open.read();
    if (b < 0) {
      return null;
    }
    number++;
    for (; b >= 0 && b != '\n'; b = open.read()) {
      if (bytes.size() == MAX_BYTES) {
        throw new Failure(
            ExitCode.USAGE, "%s: line %d is too long for a text".formatted(name, number));
      }
      bytes.write(b);
    }
    try {
      String line =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(bytes.toByteArray()))
              .toString();
      return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    } catch (CharacterCodingException e) {
      throw new Failure(
          ExitCode.USAGE,
          "%s: line %d is not UTF-8; convert the file first".formatted(name, number),
          e);
    }
  }

  @Override
  public void close() throws IOException {
    InputStream open = in;
    in = null;
    if (open != null) {
      open.close();
    }
  }
}
