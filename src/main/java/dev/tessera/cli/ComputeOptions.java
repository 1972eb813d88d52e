package dev.tessera.cli;

import dev.tessera.engine.Engine;
import picocli.CommandLine.Option;

/** Where and with how many threads a model is computed. */
final class ComputeOptions {
  @Option(
      names = {"-d", "--device"},
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu or scalar; see 'tessera devices'. Default: ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = {"-j", "--threads"},
      paramLabel = "N",
      description = "Threads that compute and that decode. Default: the number of cores.")
  private int threads;

  String device() {
    return device;
  }

  /** At least 1. */
  int threads() {
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  /** The engine asked for. */
  Engine open() throws Failure {
    if (threads < 0 || threads > 1024) {
      throw new Failure(ExitCode.USAGE, "--threads must be from 1 to 1024, not " + threads);
    }
    return Devices.open(device, threads());
  }
}
