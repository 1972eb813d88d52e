package dev.tessera.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class EnginesTest {
  @Test
  void choosesTheVectorEngineWhereThereIsOne() throws DeviceException {
    assertThat(Engines.preferred()).isEqualTo("cpu");
    try (Engine engine = Engines.open("auto", 3)) {
      assertThat(engine.name()).isEqualTo("cpu");
      assertThat(engine.description()).contains("-bit vectors").endsWith("3 threads");
    }
  }

  @Test
  void opensEveryDeviceItCallsAvailable() throws DeviceException {
    for (Engines.Device device : Engines.devices()) {
      assertThat(device.available()).isTrue();
      try (Engine engine = Engines.open(device.name(), 0)) {
        assertThat(engine.name()).isEqualTo(device.name());
      }
    }
  }

  @Test
  void refusesAPrecisionThatTheDeviceHasNot() throws DeviceException {
    for (String device : new String[] {"auto", "cpu", "scalar", "opencl:0"}) {
      assertThatThrownBy(() -> Engines.open(device, 0, Precision.TF32))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("computes in fp32; tf32 needs a device of CUDA");
    }
    try (Engine engine = Engines.open("cuda:0", 0, Precision.FP16)) {
      assertThat(engine.description()).endsWith("products in fp16");
    }
  }

  @Test
  void neverFallsBackFromANamedDevice() {
    assertThatThrownBy(() -> Engines.open("npu", 0))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device npu is unknown");
    assertThatThrownBy(() -> Engines.open("cuda:7", 0))
        .isInstanceOf(DeviceException.class)
        .hasMessageStartingWith("device cuda:7 is not there");
  }
}
