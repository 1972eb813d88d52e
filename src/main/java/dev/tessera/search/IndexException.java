package dev.tessera.search;

import java.io.IOException;
import java.nio.file.Path;

/** An index that cannot be used; the message names it and says what to do, in one sentence. */
public final class IndexException extends IOException {
  private static final long serialVersionUID = 1;

  public IndexException(Path index, String problem) {
    super(index + " " + problem);
  }

  public IndexException(Path index, String problem, Throwable cause) {
    super(index + " " + problem, cause);
  }
}
