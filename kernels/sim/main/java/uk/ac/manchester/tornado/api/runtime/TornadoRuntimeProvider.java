package uk.ac.manchester.tornado.api.runtime;

import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** Gives the simulator's one backend: OpenCL with a device of type CPU and one of type GPU. */
public class TornadoRuntimeProvider {
  private static final TornadoRuntime RUNTIME = new Simulated();

  private TornadoRuntimeProvider() {}

  public static TornadoRuntime getTornadoRuntime() {
    return RUNTIME;
  }

  private static final class Simulated implements TornadoRuntime, TornadoBackend {
    @Override
    public int getNumBackends() {
      return 1;
    }

    @Override
    public TornadoBackend getBackend(int index) {
      if (index != 0) {
        throw new IndexOutOfBoundsException(index);
      }
      return this;
    }

    @Override
    public TornadoVMBackendType getBackendType(int index) {
      return TornadoVMBackendType.OPENCL;
    }

    @Override
    public int getNumDevices() {
      return 2;
    }

    @Override
    public TornadoDevice getDevice(int index) {
      return switch (index) {
        case 0 -> new Device(TornadoDeviceType.CPU);
        case 1 -> new Device(TornadoDeviceType.GPU);
        default -> throw new IndexOutOfBoundsException(index);
      };
    }

    @Override
    public String getName() {
      return "Simulator";
    }
  }

  private record Device(TornadoDeviceType type) implements TornadoDevice {
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
      return TornadoVMBackendType.OPENCL;
    }
  }
}
