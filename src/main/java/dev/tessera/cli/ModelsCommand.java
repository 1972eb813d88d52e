package dev.tessera.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tessera models}. */
@Command(
    name = "models",
    description = "Say what is in a model directory, or run a model on tensors.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {ModelsInfoCommand.class, ModelsRunCommand.class},
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera models info vit-base",
      "  tessera models run vit-base --input in.safetensors --output out.safetensors"
    })
final class ModelsCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
