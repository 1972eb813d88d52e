package dev.tessera.cli;

import dev.tessera.engine.Engines;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code tessera devices}: what computes here, and why. */
@Command(
    name = "devices",
    description = "Say which engines there are, and which one is used and why.",
    footerHeading = "%nExamples:%n",
    footer = {"  tessera devices", "  tessera classify --device scalar --model vit-base photo.jpg"})
final class DevicesCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    Engines.devices().forEach(DevicesCommand::print);
    Engines.tornadoDevices().forEach(DevicesCommand::print);
    System.out.println();
    System.out.println("Without --device, " + Engines.preferred() + " is used.");
    return ExitCode.OK;
  }

  private static void print(Engines.Device device) {
    System.out.printf(
        "%-9s %-14s %s%n",
        device.name(), device.available() ? "available" : "not available", device.explanation());
  }
}
