package dev.tessera.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
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

  /**
   * Has ONNX Runtime optimise a model and save what it made of it, for this machine; where the name
   * ends in {@code .ort}, in its own format and with the optimisations that this format can hold.
   */
  static void optimise(Path model, Path optimised) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(
          optimised.toString().endsWith(".ort") ? OptLevel.EXTENDED_OPT : OptLevel.ALL_OPT);
      options.setOptimizedModelFilePath(optimised.toString());
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      OrtEnvironment.getEnvironment().createSession(model.toString(), options).close();
    }
  }

  /** The command that records the AOT cache. */
  List<String> training(Path image, Path model) {
    return command("-XX:AOTCacheOutput=" + directory.resolve("peer.aot"), image, model, "ALL_OPT");
  }

  /** Labels {@code image} with a model as it was exported. */
  List<String> exported(Path image, Path model) {
    return command("-XX:AOTCache=" + directory.resolve("peer.aot"), image, model, "ALL_OPT");
  }

  /** Labels {@code image} with a model that {@link #optimise} saved. */
  List<String> optimised(Path image, Path model) {
    return command("-XX:AOTCache=" + directory.resolve("peer.aot"), image, model, "NO_OPT");
  }

  /**
   * Labels {@code image} with an {@code .ort} model whose weights are used where the file is
   * mapped: nothing is copied or packed, which costs later images a little and spares the first one
   * a lot.
   */
  List<String> mapped(Path image, Path model) {
    List<String> command = optimised(image, model);
    command.add("session.use_memory_mapped_ort_model");
    command.add("session.use_ort_model_bytes_for_initializers");
    command.add("session.disable_prepacking");
    return command;
  }

  private List<String> command(String cache, Path image, Path model, String optimisation) {
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
    command.addAll(List.of(image.toString(), model.toString(), optimisation));
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
