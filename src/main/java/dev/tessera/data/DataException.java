package dev.tessera.data;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A data set that cannot be obtained or used; the message is one sentence that names the file or
 * folder, says what is wrong with it and what to do.
 */
public final class DataException extends IOException {
  private static final long serialVersionUID = 1;

  public DataException(String message) {
    super(message);
  }

  public DataException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
