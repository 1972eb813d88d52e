package uk.ac.manchester.tornado.api.exceptions;

/** The device, or the share of it that {@code tornado.device.memory} grants, is full. */
public class TornadoOutOfMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TornadoOutOfMemoryException(String message) {
    super(message);
  }
}
