package dev.tessera.cli;

import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import dev.tessera.data.recipe.Preparation;
import dev.tessera.data.recipe.Progress;
import dev.tessera.data.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera datasets prepare}: a named data set as class folders. */
@Command(
    name = "prepare",
    description =
        "Get a data set, check that it is the published one, and make class folders of it.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera datasets prepare fashion-mnist",
      "  tessera datasets prepare cifar-10 --output data/cifar --from ~/Downloads",
      "",
      "An interrupted download goes on where it stopped. Nothing is trusted that does not have the",
      "size and the checksums of the recipe, and archives may only hold files below their folder."
    })
final class DatasetsPrepareCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "As 'tessera datasets list' names it.")
  private String name = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "Folder to make. Default: NAME, here.")
  private @Nullable Path output;

  @Option(
      names = "--from",
      paramLabel = "PATH",
      description = "Do not download: the files are in this folder, or are this file.")
  private @Nullable Path from;

  @Option(names = "--keep-downloads", description = "Keep what was downloaded, in DIR/.downloads.")
  private boolean keep;

  @Mixin private RecipeOptions recipes = new RecipeOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Recipe recipe = Recipe.named(name, recipes.folder());
    Path target = output == null ? Path.of(recipe.name()) : output;
    System.err.printf(
        "%s (%s)%nlicence: %s%n", recipe.title(), recipe.homepage(), recipe.licence());
    try (ProgressLine line = new ProgressLine()) {
      Dataset dataset = new Preparation(recipe, line).run(target, from, keep);
      line.erase();
      StringJoiner parts = new StringJoiner(", ");
      for (Map.Entry<Part, LabelledImages> part : dataset.parts().entrySet()) {
        parts.add(String.format(Locale.ROOT, "%s %,d", part.getKey(), part.getValue().size()));
      }
      System.out.printf("%s: %d classes; images: %s%n", target, dataset.classes().size(), parts);
    }
    return ExitCode.OK;
  }

  /** One line on a terminal that says how far it is; nothing elsewhere. */
  private static final class ProgressLine implements Progress, AutoCloseable {
    private static final long INTERVAL = 200_000_000;

    private final boolean interactive = System.getProperty("tessera.terminals", "").contains("2");
    private long lastDrawn = System.nanoTime();
    private boolean drawn;

    @Override
    public void message(String text) {
      erase();
      System.err.println(Terminal.printable(text));
    }

    @Override
    public void advance(String what, long done, long total) {
      long now = System.nanoTime();
      if (interactive && now - lastDrawn >= INTERVAL) {
        lastDrawn = now;
        drawn = true;
        String share = total > 0 ? "  " + 100 * done / total + " %" : "";
        System.err.printf(Locale.ROOT, "\r\033[K%s  %,d%s", Terminal.printable(what), done, share);
        System.err.flush();
      }
    }

    @Override
    public void close() {
      erase();
    }

    void erase() {
      if (drawn) {
        System.err.print("\r\033[K");
        drawn = false;
      }
    }
  }
}
