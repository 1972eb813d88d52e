package dev.tessera.report;

/** A picture cannot be drawn on this machine; the message says what it lacks. */
public final class PlotException extends RuntimeException {
  private static final long serialVersionUID = 1;

  PlotException(String message, Throwable cause) {
    super(message, cause);
  }
}
