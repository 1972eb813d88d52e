package uk.ac.manchester.tornado.api.exceptions;

/** Closing an execution plan failed. */
public class TornadoExecutionPlanException extends Exception {
  private static final long serialVersionUID = 1L;

  public TornadoExecutionPlanException(String reason) {
    super(reason);
  }
}
