package uk.ac.manchester.tornado.api.exceptions;

/** What TornadoVM does not implement or did not expect. */
public class TornadoInternalError extends Error {
  private static final long serialVersionUID = 1L;

  /**
   * @param msg a {@link String#format} pattern
   */
  public TornadoInternalError(String msg, Object... args) {
    super(String.format(msg, args));
  }
}
