package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.engine.Precision;
import java.util.List;
import java.util.Locale;

/**
 * The gate to TornadoVM's devices. Mentions none of its classes, so that it can say what is missing
 * where they are.
 */
public final class TornadoDevices {
  /** What {@code --device} takes for the best of them. */
  public static final String BEST = "tornado";

  private static final String API = "uk.ac.manchester.tornado.api.TaskGraph";

  private TornadoDevices() {}

  /** Whether a name given to {@code --device} is meant for this gate. */
  public static boolean owns(String device) {
    return device.equals(BEST) || device.matches("(opencl|cuda|ptx|spirv|metal):[0-9]{1,3}");
  }

  /** The devices that TornadoVM sees, the one that {@link #BEST} stands for first. */
  public static List<Engines.Device> list() {
    if (!isPresent()) {
      return List.of(new Engines.Device(BEST, false, absent()));
    }
    try {
      prepare();
      return DeviceProbe.all().stream()
          .map(probe -> new Engines.Device(probe.name(), true, probe.description()))
          .toList();
    } catch (RuntimeException | LinkageError e) {
      return List.of(new Engines.Device(BEST, false, broken(e)));
    }
  }

  /**
   * Opens a device and checks on a tiny model that it computes what the scalar engine does, before
   * a training also that the model learns the same.
   *
   * @throws DeviceException if it is not there, or computes something else
   */
  public static Engine open(String device, Precision precision) throws DeviceException {
    if (!isPresent()) {
      throw new DeviceException("device " + device + " is not available: " + absent() + ".");
    }
    try {
      prepare();
      List<DeviceProbe> probes = DeviceProbe.all();
      for (DeviceProbe probe : probes) {
        if (device.equals(BEST) || device.equals(probe.name())) {
          if (precision != Precision.FP32 && !probe.hasLibraries()) {
            throw new DeviceException(
                "device "
                    + probe.name()
                    + " computes in fp32; "
                    + precision
                    + " needs a device of CUDA and an SDK of TornadoVM with cuBLAS.");
          }
          TornadoEngine engine = new TornadoEngine(probe, precision);
          SelfTest.check(engine, precision);
          engine.checkBeforeTraining();
          return engine;
        }
      }
      throw new DeviceException(
          "device "
              + device
              + " is not there; TornadoVM sees "
              + (probes.isEmpty()
                  ? "none"
                  : String.join(", ", probes.stream().map(DeviceProbe::name).toList()))
              + " (see tessera devices).");
    } catch (RuntimeException | LinkageError e) {
      throw new DeviceException("device " + device + " is not available: " + broken(e) + ".", e);
    }
  }

  private static boolean isPresent() {
    try {
      Class.forName(API, false, TornadoDevices.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static String absent() {
    return "it needs TornadoVM; set TORNADOVM_HOME to the folder of its SDK (docs/tornadovm.md)";
  }

  /** TornadoVM reports what it lacks as failed initialisers and missing classes, too. */
  private static String broken(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String kind = cause.getClass().getSimpleName();
    String reason = Reason.of(cause);
    return "TornadoVM does not work here ("
        + (reason.equals(kind) ? kind : kind + ": " + reason)
        + "); see docs/tornadovm.md";
  }

  /**
   * Otherwise TornadoVM would run a kernel that it cannot compile as plain Java, on one work-item.
   */
  private static void prepare() {
    String setting = System.getProperty("tornado.recover.bailout");
    if (setting == null) {
      System.setProperty("tornado.recover.bailout", "False");
    } else if (!setting.toLowerCase(Locale.ROOT).equals("false")) {
      throw new IllegalStateException(
          "it was started with -Dtornado.recover.bailout=" + setting + ", which hides failures");
    }
  }
}
