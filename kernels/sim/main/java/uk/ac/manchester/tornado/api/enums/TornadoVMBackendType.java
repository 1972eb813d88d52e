package uk.ac.manchester.tornado.api.enums;

/** What TornadoVM generates code for. */
public enum TornadoVMBackendType {
  OPENCL,
  METAL,
  PTX,
  CUDA,
  SPIRV,
  JAVA,
  VIRTUAL
}
