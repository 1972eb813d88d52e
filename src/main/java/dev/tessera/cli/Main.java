package dev.tessera.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;

/** The entry point of the command {@code tessera}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    useLaunchersStandardError();
    System.err.println("tessera: " + String.join("|", args));
  }

  /**
   * The launcher keeps the JVM's own warnings off the terminal by handing over the real standard
   * error as descriptor 0.
   */
  private static void useLaunchersStandardError() {
    if ("0".equals(System.getProperty("tessera.stderr"))) {
      FileOutputStream out = new FileOutputStream(FileDescriptor.in);
      System.setErr(
          new PrintStream(new BufferedOutputStream(out, 1024), true, System.err.charset()));
    }
  }
}
