package uk.ac.manchester.tornado.api.enums;

/** When an array is copied between the host and the device. */
public class DataTransferMode {
  /** Once, before the first execution; the device's copy is kept from then on. */
  public static final int FIRST_EXECUTION = 0;

  /** At every execution. */
  public static final int EVERY_EXECUTION = 1;

  /** To the device: never, only memory is allocated. To the host: when the result is asked for. */
  public static final int UNDER_DEMAND = 2;

  private DataTransferMode() {}
}
