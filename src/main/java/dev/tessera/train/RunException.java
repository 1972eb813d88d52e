package dev.tessera.train;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A run's directory that cannot be used or written; the message is one sentence that names the
 * file, says what is wrong and what to do.
 */
public final class RunException extends IOException {
  private static final long serialVersionUID = 1;

  /** Whether writing failed, rather than what was found there. */
  private final boolean writing;

  private RunException(String message, boolean writing, Throwable cause) {
    super(message, cause);
    this.writing = writing;
  }

  /** What was found at {@code path} does not allow the run. */
  static RunException unusable(Path path, String problem) {
    return new RunException(path + " " + problem, false, new IllegalStateException(problem));
  }

  /** Writing {@code path} failed. */
  static RunException unwritable(Path path, IOException cause) {
    String reason =
        switch (cause) {
          case NoSuchFileException _ -> "its folder does not exist";
          case AccessDeniedException _ -> "permission denied";
          default ->
              cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        };
    return new RunException(
        "cannot write "
            + path
            + ": "
            + reason
            + "; what was written before is intact, so make room and go on with --resume",
        true,
        cause);
  }

  /** Whether writing failed. */
  public boolean isWriting() {
    return writing;
  }
}
