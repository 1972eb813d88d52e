package dev.tessera.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a command line did.
 *
 * @param exitCode of the process
 * @param out its standard output
 * @param err its standard error
 */
record CommandLineRun(int exitCode, String out, String err) {
  static final Path VIT_TINY = Path.of("test/resources/checkpoints/vit-tiny");

  /** Runs {@code tessera} in this JVM; results on standard output are not captured. */
  static CommandLineRun inside(Object... args) {
    String[] words = words(args);
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int exitCode = TesseraCommand.commandLine(words).execute(words);
      return new CommandLineRun(
          exitCode,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Starts {@code tessera} in a JVM of its own. */
  static Process start(Path folder, List<String> jvmOptions, Object... args) throws IOException {
    return start(folder, Files.createFile(folder.resolve("stdout")), jvmOptions, args);
  }

  /** The same with standard output elsewhere. */
  static Process start(Path folder, Path out, List<String> jvmOptions, Object... args)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=jdk.incubator.vector");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:+UseSerialGC");
    command.addAll(jvmOptions);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(List.of(words(args)));
    return new ProcessBuilder(command)
        .redirectOutput(out.toFile())
        .redirectError(folder.resolve("stderr").toFile())
        .start();
  }

  /** Waits for what {@link #start} started in {@code folder}. */
  static CommandLineRun finish(Process process, Path folder)
      throws IOException, InterruptedException {
    process.getOutputStream().close();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("still running: " + Files.readString(folder.resolve("stderr")));
    }
    return new CommandLineRun(
        process.exitValue(),
        Files.exists(folder.resolve("stdout")) ? Files.readString(folder.resolve("stdout")) : "",
        Files.readString(folder.resolve("stderr")));
  }

  private static String[] words(Object... args) {
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] = args[i].toString();
    }
    return words;
  }
}
