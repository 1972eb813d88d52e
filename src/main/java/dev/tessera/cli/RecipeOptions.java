package dev.tessera.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where recipes of data sets are. */
final class RecipeOptions {
  @Option(
      names = "--recipes",
      paramLabel = "DIR",
      description = "Folder of recipes. Default: datasets, where Tessera is installed.")
  private @Nullable Path folder;

  Path folder() {
    return folder != null ? folder : Path.of(System.getProperty("tessera.home", "."), "datasets");
  }
}
