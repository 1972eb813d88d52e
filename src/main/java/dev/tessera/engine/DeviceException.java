package dev.tessera.engine;

/** A device that a person asked for and that is not there; the message is one sentence for them. */
public final class DeviceException extends Exception {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
