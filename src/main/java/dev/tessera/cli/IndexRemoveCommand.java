package dev.tessera.cli;

import dev.tessera.search.Index;
import dev.tessera.search.IndexWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tessera index remove}: takes images out of an index. */
@Command(
    name = "remove",
    description = "Take images out of an index. Their files stay as they are.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera index remove photos.index '*.gif'",
      "  tessera index remove photos.index holiday/one.jpg 'old/**'"
    })
final class IndexRemoveCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "INDEX", description = "The index.")
  private Path path = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "GLOB",
      arity = "1..*",
      description = "Names such as '*.gif', or paths below the indexed folder such as 'old/**'.")
  private List<String> globs = new ArrayList<>();

  @Override
  public Integer call() throws IOException, Failure {
    FileFilter filter = new FileFilter(globs, List.of());
    try (IndexWriter writer = IndexWriter.open(path);
        Index index = Index.open(path, 1)) {
      int count = 0;
      for (int row = 0; row < index.rowCount(); row++) {
        if (!index.isRemoved(row) && filter.takesFile(Path.of(index.entry(row).path()))) {
          writer.remove(row);
          count++;
        }
      }
      writer.commit(index.isComplete());
      System.err.println(
          "tessera: %s: %,d removed, %,d left".formatted(path, count, index.count() - count));
    }
    return ExitCode.OK;
  }
}
