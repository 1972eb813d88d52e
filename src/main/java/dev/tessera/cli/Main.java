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
    int exitCode;
    try {
      exitCode = TesseraCommand.commandLine(args).execute(args);
    } catch (OutOfMemoryError e) {
      System.err.println(
          "tessera: not enough memory; try a smaller --batch-size or give more with"
              + " TESSERA_JAVA_OPTS=-Xmx...");
      exitCode = ExitCode.INTERNAL;
    }
    System.out.flush();
    System.err.flush();
    System.exit(exitCode);
  }

  /**
   * The launcher keeps the JVM's own warnings off the terminal by handing over the real standard
   * error as descriptor 0.
   */
  private static void useLaunchersStandardError() {
    if ("0".equals(System.getProperty("tessera.stderr"))) {
      FileOutputStream out = new FileOutputStream(FileDescriptor.in);
      System.setErr(
          new PrintStream(new BufferedOutputStream(out, 8192), true, System.err.charset()));
    }
  }
}
