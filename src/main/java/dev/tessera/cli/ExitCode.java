package dev.tessera.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** What the process's exit status says. */
final class ExitCode {
  static final int OK = 0;

  /** A defect of Tessera itself. */
  static final int INTERNAL = 1;

  /** Wrong use of the command line. */
  static final int USAGE = 2;

  /** A model directory that cannot be used. */
  static final int CHECKPOINT = 3;

  /** Of the images given, not one could be read. */
  static final int NO_IMAGE = 4;

  /** The device asked for is not there. */
  static final int DEVICE = 5;

  /** Output that cannot be written. */
  static final int OUTPUT = 6;

  /** A data set that cannot be obtained or used. */
  static final int DATA = 7;

  /** A training whose loss is no number any more. */
  static final int DIVERGED = 8;

  /** An index that cannot be used. */
  static final int INDEX = 9;

  /** Ended by Ctrl-C: 128 plus the number of SIGINT, as shells and the JVM have it. */
  static final int INTERRUPTED = 130;

  private ExitCode() {}

  /** What help says about them. */
  static Map<String, String> descriptions() {
    Map<String, String> descriptions = new LinkedHashMap<>();
    descriptions.put(" 0", "done; images that could not be read are listed on standard error");
    descriptions.put(" 1", "an error inside Tessera: please report it");
    descriptions.put(" 2", "wrong use of the command line");
    descriptions.put(" 3", "the model directory cannot be used");
    descriptions.put(" 4", "no image could be read");
    descriptions.put(" 5", "the device asked for is not available");
    descriptions.put(" 6", "the output cannot be written");
    descriptions.put(" 7", "the data set cannot be used");
    descriptions.put(" 8", "the training diverged");
    descriptions.put(" 9", "the index cannot be used");
    descriptions.put("130", "interrupted");
    return descriptions;
  }
}
