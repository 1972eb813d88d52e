package dev.tessera.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint that cannot be used; the message is one sentence that names the file, says what is
 * wrong with it and what to do.
 */
public final class CheckpointException extends IOException {
  private static final long serialVersionUID = 1;

  /** {@code problem} says what is wrong and what to do; the file's name is put before it. */
  public CheckpointException(Path file, String problem) {
    this(file, problem, null);
  }

  public CheckpointException(Path file, String problem, @Nullable Throwable cause) {
    super(file + ": " + problem, cause);
  }
}
