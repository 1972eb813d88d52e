package uk.ac.manchester.tornado.api.enums;

/** Kinds of devices, as OpenCL names them. */
public enum TornadoDeviceType {
  UNKNOWN,
  DEFAULT,
  CPU,
  GPU,
  FPGA,
  ACCELERATOR,
  CUSTOM,
  ALL
}
