package dev.tessera.cli;

import dev.tessera.engine.Engine;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tessera devices}: what computes here, and why. */
@Command(
    name = "devices",
    description = "Say which engines there are, and which one is used and why.",
    footerHeading = "%nExamples:%n",
    footer = {"  tessera devices", "  tessera devices --threads 4"})
final class DevicesCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws Failure {
    try (Engine chosen = compute.open();
        Engine cpu = Devices.open("cpu", compute.threads());
        Engine scalar = Devices.open("scalar", 1)) {
      System.out.println(cpu.description());
      System.out.println(scalar.description());
      System.out.println();
      System.out.println("--device " + compute.device() + " uses " + chosen.name() + ".");
      return ExitCode.OK;
    }
  }
}
