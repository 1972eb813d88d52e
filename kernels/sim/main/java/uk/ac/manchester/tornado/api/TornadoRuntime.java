package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** The backends that there are. */
public interface TornadoRuntime {
  int getNumBackends();

  TornadoBackend getBackend(int index);

  TornadoVMBackendType getBackendType(int index);
}
