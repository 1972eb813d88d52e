package dev.tessera.engine;

import dev.tessera.engine.cpu.CpuEngine;
import dev.tessera.engine.scalar.ScalarEngine;
import dev.tessera.engine.tornado.TornadoDevices;
import java.util.List;

/**
 * The one gate to engines: probes what this JVM offers, says in one line what it chose and what to
 * do to get a better one, and never falls back once a person has named a device.
 */
public final class Engines {
  /** What {@code --device} takes when nobody names one. */
  public static final String AUTO = "auto";

  private static final String ADD_VECTOR_API =
      "this JVM was started without the Vector API; start it with --add-modules"
          + " jdk.incubator.vector, as the tessera launcher does";

  private Engines() {}

  /**
   * A device that a person can name.
   *
   * @param name what {@code --device} takes
   * @param available whether {@link #open} would succeed
   * @param explanation what it is, or what it lacks and how to get it
   */
  public record Device(String name, boolean available, String explanation) {}

  /** The devices that need nothing but this JVM, the best available one first. */
  public static List<Device> devices() {
    boolean vectors = hasVectorApi();
    Device cpu =
        new Device("cpu", vectors, vectors ? CpuEngine.describe(defaultThreads()) : ADD_VECTOR_API);
    Device scalar = new Device("scalar", true, new ScalarEngine().description());
    return vectors ? List.of(cpu, scalar) : List.of(scalar, cpu);
  }

  /** The devices that TornadoVM sees, or one that says why there are none. Takes its start. */
  public static List<Device> tornadoDevices() {
    return TornadoDevices.list();
  }

  /** The name of the device that {@link #AUTO} stands for. */
  public static String preferred() {
    // Not of the first of the devices described: a formatted number takes some 20 ms of a start.
    return hasVectorApi() ? "cpu" : "scalar";
  }

  /**
   * Opens an engine.
   *
   * @param device {@link #AUTO} or the name of one of {@link #devices()}
   * @param threads threads that compute; 0 for one on each core
   * @throws DeviceException if the device is unknown or not available here
   */
  public static Engine open(String device, int threads) throws DeviceException {
    return open(device, threads, Precision.FP32);
  }

  /**
   * Opens an engine that multiplies with a precision.
   *
   * @throws DeviceException if the device is unknown, not available here, or has no such precision
   */
  public static Engine open(String device, int threads, Precision precision)
      throws DeviceException {
    String name = device.equals(AUTO) ? preferred() : device;
    if (TornadoDevices.owns(name)) {
      return TornadoDevices.open(name, precision);
    }
    if (precision != Precision.FP32) {
      throw new DeviceException(
          "device "
              + name
              + " computes in fp32; "
              + precision
              + " needs a device of CUDA, such as --device cuda:0 (docs/tornadovm.md).");
    }
    return switch (name) {
      case "scalar" -> new ScalarEngine();
      case "cpu" -> {
        if (!hasVectorApi()) {
          throw new DeviceException("device cpu is not available: " + ADD_VECTOR_API + ".");
        }
        yield new CpuEngine(threads == 0 ? defaultThreads() : threads);
      }
      default ->
          throw new DeviceException(
              "device "
                  + device
                  + " is unknown; this version has auto, cpu, scalar, tornado and TornadoVM's devices"
                  + " such as opencl:0 or cuda:0 (see tessera devices).");
    };
  }

  /**
   * Says that this process is about to open an engine and a model: what an engine needs anyway can
   * begin on other threads, even before it is opened.
   *
   * @param bytes of the model's weights, roughly
   */
  public static void prepare(long bytes) {
    if (hasVectorApi()) {
      CpuEngine.prepare(bytes);
    }
  }

  /** One thread for each core that this process may use. */
  public static int defaultThreads() {
    return Runtime.getRuntime().availableProcessors();
  }

  private static boolean hasVectorApi() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }
}
