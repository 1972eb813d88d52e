package uk.ac.manchester.tornado.api.common;

import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** One device of a backend. */
public interface TornadoDevice {
  String getDeviceName();

  String getDescription();

  String getPlatformName();

  TornadoDeviceType getDeviceType();

  /** Bytes of the largest array. */
  long getMaxAllocMemory();

  /** Bytes of memory. */
  long getMaxGlobalMemory();

  /** Bytes that a work-group can share. */
  long getDeviceLocalMemorySize();

  long[] getDeviceMaxWorkgroupDimensions();

  TornadoVMBackendType getTornadoVMBackend();
}
