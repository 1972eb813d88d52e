package dev.tessera.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tessera datasets}. */
@Command(
    name = "datasets",
    description = "Get well-known data sets, and look at labelled images.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DatasetsListCommand.class,
      DatasetsPrepareCommand.class,
      DatasetsPreviewCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera datasets list",
      "  tessera datasets prepare fashion-mnist",
      "  tessera datasets preview photos/ --output preview.png"
    })
final class DatasetsCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
