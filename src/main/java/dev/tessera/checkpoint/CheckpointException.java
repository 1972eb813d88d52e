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
  private static final int LENGTH = 2000;

  /** {@code problem} says what is wrong and what to do; the file's name is put before it. */
  public CheckpointException(Path file, String problem) {
    this(file, problem, null);
  }

  public CheckpointException(Path file, String problem, @Nullable Throwable cause) {
    super(printable(file + ": " + problem), cause);
  }

  /** Names out of the file must neither fill nor steer the terminal that the message ends on. */
  private static String printable(String message) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < Math.min(message.length(), LENGTH); i++) {
      char c = message.charAt(i);
      if (Character.isISOControl(c)) {
        text.append(String.format("\\u%04x", (int) c));
      } else {
        text.append(c);
      }
    }
    return message.length() > LENGTH ? text.append('…').toString() : text.toString();
  }
}
