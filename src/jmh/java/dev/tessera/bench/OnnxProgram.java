package dev.tessera.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;

/**
 * {@link ColdOnnx} installed as its author would install it for the fastest start: a small jar,
 * ONNX Runtime's native libraries unpacked, an AOT cache of its classes, only the first tier of the
 * JIT.
 */
final class OnnxProgram {
  private final Path directory;

  OnnxProgram(Path directory) throws IOException {
    this.directory = directory;
    writeJar();
    unpack("libonnxruntime.so");
    unpack("libonnxruntime4j_jni.so");
  }

  /** Has ONNX Runtime optimise a model for this machine and save what it made of it. */
  static void optimise(Path model, Path optimised) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      options.setOptimizedModelFilePath(optimised.toString());
      options.setSessionLogLevel(ai.onnxruntime.OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      OrtEnvironment.getEnvironment().createSession(model.toString(), options).close();
    }
  }

  /** The command that records the AOT cache. */
  List<String> training(Path model, Path image) {
    return command("-XX:AOTCacheOutput=" + directory.resolve("peer.aot"), model, "ALL_OPT", image);
  }

  /** The command that labels {@code image}. */
  List<String> command(Path model, String optimisation, Path image) {
    return command("-XX:AOTCache=" + directory.resolve("peer.aot"), model, optimisation, image);
  }

  private List<String> command(String cache, Path model, String optimisation, Path image) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(cache);
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("-Djava.awt.headless=true");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Donnxruntime.native.path=" + directory);
    command.add("-cp");
    command.add(directory.resolve("peer.jar") + ":" + runtimeJar());
    command.add(ColdOnnx.class.getName());
    command.addAll(List.of(model.toString(), optimisation, image.toString()));
    return command;
  }

  private static String runtimeJar() {
    return Arrays.stream(System.getProperty("java.class.path").split(":"))
        .filter(entry -> Path.of(entry).getFileName().toString().startsWith("onnxruntime"))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no onnxruntime jar on the class path"));
  }

  private void writeJar() throws IOException {
    String entry = ColdOnnx.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream jar =
            new JarOutputStream(Files.newOutputStream(directory.resolve("peer.jar")));
        InputStream classFile = resource(entry)) {
      jar.putNextEntry(new JarEntry(entry));
      classFile.transferTo(jar);
    }
  }

  private void unpack(String library) throws IOException {
    String machine = System.getProperty("os.arch").equals("amd64") ? "x64" : "aarch64";
    try (InputStream in = resource("ai/onnxruntime/native/linux-" + machine + "/" + library)) {
      Files.copy(in, directory.resolve(library), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static InputStream resource(String name) throws IOException {
    InputStream stream = ColdOnnx.class.getClassLoader().getResourceAsStream(name);
    if (stream == null) {
      throw new IOException("no " + name + " on the class path");
    }
    return stream;
  }
}
