package dev.tessera.image;

import java.io.IOException;

/**
 * A file that cannot be read as an image. The message is one sentence that names the file and says
 * what is wrong and, where there is something to do, what to do.
 */
public final class ImageException extends IOException {
  private static final long serialVersionUID = 1L;

  public ImageException(String message) {
    super(message);
  }

  public ImageException(String message, Throwable cause) {
    super(message, cause);
  }
}
