package dev.tessera.train;

/** A loss or gradient that is no number any more; the message says when, and what to do. */
public final class DivergenceException extends Exception {
  private static final long serialVersionUID = 1;

  DivergenceException(String message) {
    super(message);
  }
}
