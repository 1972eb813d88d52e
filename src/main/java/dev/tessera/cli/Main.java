package dev.tessera.cli;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.engine.Engines;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.util.Set;

/** The entry point of the command {@code tessera}. */
public final class Main {
  /** Commands that take a model and are soon done with it. */
  private static final Set<String> COMPUTING = Set.of("classify", "zero-shot", "embed", "explain");

  private Main() {}

  public static void main(String[] args) {
    useLaunchersStandardError();
    prepareFor(args);
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
   * Lets an engine prepare itself for the model while the arguments are parsed, which takes some
   * 100 ms. Only a hint: whatever this takes for a model, the command reads its arguments itself.
   */
  private static void prepareFor(String[] args) {
    if (args.length == 0 || !COMPUTING.contains(args[0])) {
      return;
    }
    for (int i = 1; i < args.length; i++) {
      String option = args[i - 1];
      if (option.equals("-m") || option.equals("--model")) {
        Engines.prepare(HfDirectory.weightBytes(new File(args[i])));
      } else if (args[i].startsWith("--model=")) {
        Engines.prepare(HfDirectory.weightBytes(new File(args[i].substring("--model=".length()))));
      }
    }
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
