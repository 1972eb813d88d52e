package dev.tessera.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code tessera index}. */
@Command(
    name = "index",
    description = "Keep an index of folders of images, to search in.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      IndexBuildCommand.class,
      IndexAddCommand.class,
      IndexRemoveCommand.class,
      IndexInfoCommand.class,
      IndexEvalCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera index build photos/ --model dinov2-small -o photos.index",
      "  tessera index add photos.index",
      "  tessera index remove photos.index 'old/**'",
      "  tessera index info photos.index",
      "  tessera search photos.index query.jpg"
    })
final class IndexCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
