package dev.tessera.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import org.jspecify.annotations.Nullable;

/** Paths read from a stream, one a line or ended by NUL as {@code find -print0} writes them. */
final class PathList {
  /** No path is longer on any system; what is longer is no list of paths. */
  private static final int MAX_BYTES = 1 << 16;

  private final InputStream in;
  private final Charset charset;
  private final int end;

  PathList(InputStream in, Charset charset, boolean nulSeparated) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.charset = charset;
    this.end = nulSeparated ? 0 : '\n';
  }

  /** The next path, or null after the last. Empty lines are skipped. */
  @Nullable String next() throws IOException {
    ByteArrayOutputStream path = new ByteArrayOutputStream();
    while (true) {
      int b = in.read();
      if (b == end || b < 0) {
        String text = path.toString(charset);
        if (end == '\n' && text.endsWith("\r")) {
          text = text.substring(0, text.length() - 1);
        }
        if (!text.isEmpty()) {
          return text;
        }
        if (b < 0) {
          return null;
        }
        path.reset();
      } else if (path.size() == MAX_BYTES) {
        throw new IOException("a line of more than " + MAX_BYTES + " bytes is no path");
      } else {
        path.write(b);
      }
    }
  }
}
