package dev.tessera.engine.tornado;

import dev.tessera.kernels.Gemm;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/**
 * A device and what it can do.
 *
 * @param name backend and number, as {@code opencl:0}
 * @param tiled whether it gets the kernels with local memory: GPUs whose groups are large enough
 * @param hasLibraries whether products and attention can be left to cuBLAS and cuDNN
 */
record DeviceProbe(String name, TornadoDevice device, boolean tiled, boolean hasLibraries) {
  private static final int TILED_GROUP = Gemm.SIDE * Gemm.SIDE;

  /** Every device of every backend: CUDA before the others, GPUs before other kinds. */
  static List<DeviceProbe> all() {
    TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
    List<DeviceProbe> probes = new ArrayList<>();
    for (int b = 0; b < runtime.getNumBackends(); b++) {
      String backend = runtime.getBackendType(b).toString().toLowerCase(Locale.ROOT);
      for (int d = 0; d < runtime.getBackend(b).getNumDevices(); d++) {
        TornadoDevice device = runtime.getBackend(b).getDevice(d);
        boolean gpu = device.getDeviceType() == TornadoDeviceType.GPU;
        boolean large = device.getDeviceMaxWorkgroupDimensions()[0] >= TILED_GROUP;
        boolean libraries = isCuda(device) && CudaLibraries.isPresent();
        probes.add(new DeviceProbe(backend + ":" + d, device, gpu && large, libraries));
      }
    }
    probes.sort(
        Comparator.comparing((DeviceProbe probe) -> !probe.isCuda())
            .thenComparing(probe -> probe.device.getDeviceType() != TornadoDeviceType.GPU));
    return probes;
  }

  boolean isCuda() {
    return isCuda(device);
  }

  private static boolean isCuda(TornadoDevice device) {
    return device.getTornadoVMBackend() == TornadoVMBackendType.CUDA;
  }

  /** One line: what it is, how much memory it has, which kernels it gets. */
  String description() {
    return "%s: %s (%s), %.1f GiB, %s kernels%s"
        .formatted(
            name,
            device.getDeviceName().strip(),
            device.getDeviceType(),
            device.getMaxGlobalMemory() / (double) (1L << 30),
            tiled ? "tiled" : "portable",
            hasLibraries ? ", cuBLAS" : "");
  }
}
