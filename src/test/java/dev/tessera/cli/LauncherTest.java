package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher's search and quoting, by what it would run. */
class LauncherTest {
  private static final Path LAUNCHER = Path.of("../tessera").toAbsolutePath().normalize();

  @TempDir Path folder;

  @Test
  void showsTheCommandAndQuotesForTheShell() throws Exception {
    String jdk = fakeJdk("jdk 25", "25.0.1");
    CommandLineRun run =
        launch(LAUNCHER, Map.of("JAVA_HOME", jdk), "--show-command", "a b", "it's", "*", "", "-k");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .startsWith("'" + jdk + "/bin/java' --add-modules=jdk.incubator.vector ")
        .contains("/target/tessera.jar 'a b' 'it'\\''s' '*' '' -k ");
    // What is printed means the same to a shell again.
    String line = run.out().substring(0, run.out().indexOf(" 0>&2"));
    CommandLineRun words =
        shell(Map.of(), "set -- " + line + "; for word; do printf '%s\\n' \"$word\"; done");
    assertThat(words.out()).endsWith("tessera.jar\na b\nit's\n*\n\n-k\n");
  }

  @Test
  void addsTheOptionsOfTheEnvironmentOneByOne() throws Exception {
    String jdk = fakeJdk("jdk", "25");
    CommandLineRun run =
        launch(
            LAUNCHER,
            Map.of("JAVA_HOME", jdk, "TESSERA_JAVA_OPTS", "-Xmx1g -Dx=*"),
            "--show-command",
            "devices");
    assertThat(run.out()).contains(" -Xmx1g '-Dx=*' ").endsWith("tessera.jar devices\n");
  }

  @Test
  void findsItselfThroughLinks() throws Exception {
    Path link = folder.resolve("a link");
    Files.createSymbolicLink(link, LAUNCHER);
    Path second = Files.createDirectory(folder.resolve("bin")).resolve("tessera");
    Files.createSymbolicLink(second, Path.of("../a link"));
    CommandLineRun run =
        launch(second, Map.of("JAVA_HOME", fakeJdk("jdk", "25")), "--show-command");
    assertThat(run.out()).contains(LAUNCHER.resolveSibling("src/target/tessera.jar").toString());
  }

  @Test
  void passesByOlderJdksAndTakesNewerOnes() throws Exception {
    String old = fakeJdk("old", "17.0.9");
    String early = fakeJdk("early", "26-ea");
    CommandLineRun run =
        launch(
            LAUNCHER,
            Map.of("JAVA_HOME", old, "PATH", early + "/bin:" + System.getenv("PATH")),
            "--java-home");
    assertThat(run.out()).isEqualTo(early + "\n");
    CommandLineRun home =
        launch(
            LAUNCHER,
            Map.of("JAVA_HOME", early + "/", "PATH", old + "/bin:" + System.getenv("PATH")),
            "--java-home");
    assertThat(home.out()).isEqualTo(early + "\n");
  }

  @Test
  void startsTornadoVmWhereOneOfItsDevicesIsNamed() throws Exception {
    Path sdk = Files.createDirectories(folder.resolve("tornado sdk"));
    Path jars = Files.createDirectories(sdk.resolve("share/java/tornado"));
    Files.createFile(jars.resolve("tornado-drivers-opencl-5.2.0.jar"));
    Path lists = Files.createDirectories(sdk.resolve("etc/exportLists"));
    Files.writeString(lists.resolve("common-exports"), "# comment\n\n--add-reads=a=b\n");
    Files.writeString(lists.resolve("opencl-exports"), "--add-exports=c/d=e\n");
    Files.writeString(lists.resolve("cuda-exports"), "--add-exports=unused\n");
    Map<String, String> environment =
        Map.of("JAVA_HOME", fakeJdk("jdk", "25"), "TORNADOVM_HOME", sdk.toString());
    Path file = folder.resolve("state/tornado.args");
    for (String[] arguments :
        new String[][] {
          {"devices"},
          {"classify", "--device", "opencl:0", "x"},
          {"classify", "--device=tornado", "x"},
          {"classify", "-d", "cuda:1"},
          {"classify", "-dopencl:2"}
        }) {
      Files.deleteIfExists(file);
      CommandLineRun run = show(environment, arguments);
      assertThat(run.out()).contains(" @" + file + " ").doesNotContain("SharedArchiveFile");
      assertThat(file).exists();
    }
    assertThat(Files.readString(file))
        .contains("-Dtornado.recover.bailout=False\n")
        .contains("--module-path \"" + jars + "\"\n")
        .contains(",tornado.drivers.common,tornado.drivers.opencl\n")
        .endsWith("ALL-UNNAMED,tornado.drivers.opencl\n--add-reads=a=b\n--add-exports=c/d=e\n");
    Files.createFile(jars.resolve("tornado-cublas-5.2.0.jar"));
    show(environment, "devices");
    assertThat(Files.readString(file))
        .contains(",tornado.drivers.opencl,tornado.cublas\n")
        .contains("ALL-UNNAMED,tornado.drivers.opencl,tornado.cublas\n");
    for (String[] arguments :
        new String[][] {
          {"classify", "x"}, {"classify", "--device", "cpu", "opencl:0"}, {"classify", "tornado"}
        }) {
      assertThat(show(environment, arguments).out()).doesNotContain("@");
    }
    CommandLineRun wrong =
        show(
            Map.of("JAVA_HOME", fakeJdk("jdk", "25"), "TORNADOVM_HOME", jars.toString()),
            "devices");
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.err()).contains("not the folder of a TornadoVM SDK");
  }

  @Test
  void holdsTheLockWhileTheArchiveIsMadeInTheBackground() throws Exception {
    Path launcher = Files.copy(LAUNCHER, folder.resolve("tessera"));
    Files.createFile(Files.createDirectories(folder.resolve("src/target")).resolve("tessera.jar"));
    Path go = folder.resolve("go");
    String jdk = fakeJdk("jdk", "25");
    Files.writeString(
        Path.of(jdk, "bin/java"),
        """
        #!/bin/sh
        case $* in *DumpLoadedClassList*) until [ -e '%s' ]; do sleep 0.02; done ;; esac
        """
            .formatted(go));
    assertThat(launch(launcher, Map.of("JAVA_HOME", jdk), "devices").exitCode()).isZero();
    Path lock = folder.resolve("state/archive.lock");
    Path owner = lock.resolve("pid");
    waitUntil(() -> Files.exists(owner) && !Files.readString(owner).isBlank());
    long pid = Long.parseLong(Files.readString(owner).strip());
    // The launcher is over, its archive is not: the next launcher must not take the lock for stale.
    assertThat(ProcessHandle.of(pid)).isPresent();
    Files.createFile(go);
    waitUntil(() -> !Files.exists(lock));
  }

  private static void waitUntil(Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waited for 20 s").isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  private CommandLineRun show(Map<String, String> environment, String... arguments)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("--show-command"));
    words.addAll(Arrays.asList(arguments));
    return launch(LAUNCHER, environment, words.toArray(String[]::new));
  }

  private String fakeJdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Path java = home.resolve("bin/java");
    Files.createDirectories(java.getParent());
    Files.writeString(java, "#!/bin/sh\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    Files.writeString(
        home.resolve("release"),
        "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\""
            + version
            + "\"\nMODULES=\"java.base jdk.incubator.vector\"");
    return home.toString();
  }

  private CommandLineRun launch(Path launcher, Map<String, String> environment, String... args)
      throws Exception {
    List<String> command = new ArrayList<>(List.of("sh", launcher.toString()));
    command.addAll(Arrays.asList(args));
    return execute(environment, command);
  }

  private CommandLineRun shell(Map<String, String> environment, String script) throws Exception {
    return execute(environment, List.of("sh", "-c", script));
  }

  private CommandLineRun execute(Map<String, String> environment, List<String> command)
      throws Exception {
    assumeThat(new File("/bin/sh")).as("skipped: there is no POSIX shell").exists();
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("TESSERA_") || name.equals("TORNADOVM_HOME"));
    builder.environment().put("TESSERA_STATE", folder.resolve("state").toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return new CommandLineRun(process.exitValue(), out, err);
  }
}
