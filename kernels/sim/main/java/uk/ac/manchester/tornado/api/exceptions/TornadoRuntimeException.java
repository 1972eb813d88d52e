package uk.ac.manchester.tornado.api.exceptions;

/** What TornadoVM refuses to execute. */
public class TornadoRuntimeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TornadoRuntimeException(String message) {
    super(message);
  }
}
