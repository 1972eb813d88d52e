package uk.ac.manchester.tornado.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * That TornadoVM has everything public that the simulator has, under the same names and types.
 * Needs TornadoVM's API: of TORNADOVM_HOME, or of the jar that {@code -Dtornado.api.jar} names.
 */
class SignatureTest {
  /** What belongs to the simulator alone, or not to TornadoVM's API. */
  private static final Set<String> OWN =
      Set.of(
          "uk.ac.manchester.tornado.api.types.arrays.DeviceMemory",
          // of the SDK for CUDA alone
          "uk.ac.manchester.tornado.cublas.CuBlasOptions",
          "uk.ac.manchester.tornado.cublas.enums.CuBlasMathMode",
          "uk.ac.manchester.tornado.api.types.arrays.DeviceMemory$Budget");

  @Test
  void everythingSimulatedIsInTornadoVm() throws Exception {
    Path jar = api();
    assumeThat(jar).as("skipped: there is no TORNADOVM_HOME").isNotNull();
    Set<String> missing = new TreeSet<>();
    int compared = 0;
    // Not below the application's loader, which has the simulator's classes.
    try (URLClassLoader real =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      for (Class<?> type : simulated()) {
        Class<?> original;
        try {
          original = Class.forName(type.getName(), false, real);
        } catch (ClassNotFoundException e) {
          missing.add(type.toString());
          continue;
        }
        Set<String> has = members(original);
        for (String member : members(type)) {
          compared++;
          if (!has.contains(member)) {
            missing.add(type.getName() + ": " + member);
          }
        }
      }
    }
    assertThat(missing).isEmpty();
    assertThat(compared).isGreaterThan(100);
  }

  private static Path api() throws IOException {
    String named = System.getProperty("tornado.api.jar", "");
    if (!named.isEmpty()) {
      return Path.of(named);
    }
    String home = System.getenv("TORNADOVM_HOME");
    if (home == null) {
      return null;
    }
    try (Stream<Path> jars = Files.list(Path.of(home, "share/java/tornado"))) {
      return jars.filter(jar -> jar.getFileName().toString().startsWith("tornado-api-"))
          .findFirst()
          .orElse(null);
    }
  }

  /** The simulator's public classes, nested ones included. */
  private static List<Class<?>> simulated() throws IOException, ClassNotFoundException {
    Path classes = Path.of("target/classes");
    List<Class<?>> types = new ArrayList<>();
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        String path = classes.relativize(file).toString();
        String name = path.substring(0, path.length() - 6).replace(File.separatorChar, '.');
        Class<?> type = Class.forName(name, false, KernelContext.class.getClassLoader());
        if (Modifier.isPublic(type.getModifiers())
            && !OWN.contains(name)
            && !name.endsWith("package-info")) {
          types.add(type);
        }
      }
    }
    return types;
  }

  /** Public fields, methods and constructors, with their erased types. */
  private static Set<String> members(Class<?> type) {
    Set<String> members = new TreeSet<>();
    for (Field field : type.getFields()) {
      members.add(field.getType().getName() + " " + field.getName());
    }
    for (Method method : type.getMethods()) {
      if (method.getDeclaringClass() != Object.class && !method.isSynthetic()) {
        members.add(
            (Modifier.isStatic(method.getModifiers()) ? "static " : "")
                + method.getReturnType().getName()
                + " "
                + method.getName()
                + parameters(method));
      }
    }
    for (Constructor<?> constructor : type.getConstructors()) {
      members.add("new" + parameters(constructor));
    }
    return members;
  }

  private static String parameters(Executable executable) {
    List<String> names = new ArrayList<>();
    for (Class<?> parameter : executable.getParameterTypes()) {
      names.add(parameter.getName());
    }
    return names.toString();
  }
}
