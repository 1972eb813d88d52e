package uk.ac.manchester.tornado.api.runtime;

import java.util.List;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** Gives the simulator's backends: OpenCL with a CPU and a GPU, and CUDA with a GPU. */
public class TornadoRuntimeProvider {
  private static final TornadoRuntime RUNTIME = new Simulated();

  private TornadoRuntimeProvider() {}

  public static TornadoRuntime getTornadoRuntime() {
    return RUNTIME;
  }

  private static final class Simulated implements TornadoRuntime {
    private final List<Backend> backends =
        List.of(
            new Backend(
                TornadoVMBackendType.OPENCL, List.of(TornadoDeviceType.CPU, TornadoDeviceType.GPU)),
            new Backend(TornadoVMBackendType.CUDA, List.of(TornadoDeviceType.GPU)));

    @Override
    public int getNumBackends() {
      return backends.size();
    }

    @Override
    public TornadoBackend getBackend(int index) {
      return backends.get(index);
    }

    @Override
    public TornadoVMBackendType getBackendType(int index) {
      return backends.get(index).type();
    }
  }

  private record Backend(TornadoVMBackendType type, List<TornadoDeviceType> devices)
      implements TornadoBackend {
    @Override
    public int getNumDevices() {
      return devices.size();
    }

    @Override
    public TornadoDevice getDevice(int index) {
      return new Device(type, devices.get(index));
    }

    @Override
    public String getName() {
      return "Simulator of " + type;
    }
  }

  private record Device(TornadoVMBackendType backend, TornadoDeviceType type)
      implements TornadoDevice {
    @Override
    public String getDeviceName() {
      return "simulated " + type;
    }

    @Override
    public String getDescription() {
      return getDeviceName() + " on Java threads";
    }

    @Override
    public String getPlatformName() {
      return "Tessera simulator";
    }

    @Override
    public TornadoDeviceType getDeviceType() {
      return type;
    }

    @Override
    public long getMaxAllocMemory() {
      return 1L << 30;
    }

    @Override
    public long getMaxGlobalMemory() {
      return 4L << 30;
    }

    @Override
    public long getDeviceLocalMemorySize() {
      return 48 << 10;
    }

    @Override
    public long[] getDeviceMaxWorkgroupDimensions() {
      return new long[] {1024, 1024, 64};
    }

    @Override
    public TornadoVMBackendType getTornadoVMBackend() {
      return backend;
    }
  }
}
