package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.engine.cpu.CpuEngine;
import dev.tessera.engine.scalar.ScalarEngine;

/** The engines by the names that {@code --device} takes. */
final class Devices {
  private Devices() {}

  /**
   * The engine called {@code device}.
   *
   * @param device {@code auto}, {@code cpu} or {@code scalar}
   * @param threads for engines that use several
   */
  static Engine open(String device, int threads) throws Failure {
    return switch (device) {
      case "auto", "cpu" -> new CpuEngine(threads);
      case "scalar" -> new ScalarEngine();
      default ->
          throw new Failure(
              ExitCode.DEVICE,
              "there is no device \"%s\" here; devices are auto, cpu and scalar (see 'tessera devices')"
                  .formatted(device));
    };
  }
}
