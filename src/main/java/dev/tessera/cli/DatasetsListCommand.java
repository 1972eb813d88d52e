package dev.tessera.cli;

import dev.tessera.data.DataException;
import dev.tessera.data.recipe.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tessera datasets list}: which data sets can be prepared. */
@Command(
    name = "list",
    description = "Say which data sets can be had, how large, and how licensed.")
final class DatasetsListCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipes = new RecipeOptions();

  @Override
  public Integer call() throws DataException {
    for (Recipe recipe : Recipe.list(recipes.folder())) {
      System.out.printf(
          Locale.ROOT,
          "%-15s%s: %,d %s, %d classes%n",
          recipe.name(),
          recipe.title(),
          recipe.images(),
          recipe.about(),
          recipe.classCount());
      System.out.printf("%15slicence: %s%n", "", recipe.licence());
      String place = "download: %,d MB".formatted(Math.max(1, Math.round(recipe.bytes() / 1e6)));
      for (Path installed : recipe.installed()) {
        if (Files.isDirectory(installed)) {
          place = "installed: " + installed;
        }
      }
      System.out.printf("%15s%s; %s%n", "", place, recipe.homepage());
    }
    return ExitCode.OK;
  }
}
