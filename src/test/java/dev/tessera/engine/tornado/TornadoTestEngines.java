package dev.tessera.engine.tornado;

import dev.tessera.engine.Engine;
import dev.tessera.engine.Precision;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Engines for tests: on every device of the simulator, so with portable and with tiled kernels; or
 * on the device of {@code -Dtessera.test.device} where TornadoVM itself runs the tests, with the
 * kernels of GPUs whatever it is if {@code -Dtessera.test.tiled=true}.
 */
public final class TornadoTestEngines {
  private TornadoTestEngines() {}

  /** By descriptions for messages. */
  public static Map<String, Engine> all() {
    Map<String, Engine> engines = new LinkedHashMap<>();
    for (DeviceProbe probe : probes()) {
      engines.put("tornado, " + probe.description(), new TornadoEngine(probe, Precision.FP32));
    }
    return engines;
  }

  /** Whether tests may rely on what the simulator alone does. */
  static boolean simulated() {
    return probes().getFirst().device().getPlatformName().equals("Tessera simulator");
  }

  /** Whether TornadoVM's profiler does: not on CUDA. */
  static boolean measuresCopiesToTheHost(DeviceProbe probe) {
    return !probe.name().startsWith("cuda");
  }

  static List<DeviceProbe> probes() {
    String device = System.getProperty("tessera.test.device");
    boolean tiled = Boolean.getBoolean("tessera.test.tiled");
    return DeviceProbe.all().stream()
        .filter(probe -> device == null || probe.name().endsWith(device))
        .map(probe ->
            new DeviceProbe(
                probe.name(), probe.device(), probe.tiled() || tiled, probe.hasLibraries()))
        .toList();
  }
}
