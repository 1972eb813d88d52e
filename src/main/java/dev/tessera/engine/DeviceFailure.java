package dev.tessera.engine;

/** A device that stopped working, or cannot do what it was given; the message is one sentence. */
public final class DeviceFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeviceFailure(String message) {
    super(message);
  }

  public DeviceFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
