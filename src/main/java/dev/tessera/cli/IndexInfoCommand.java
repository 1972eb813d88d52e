package dev.tessera.cli;

import dev.tessera.search.Index;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tessera index info}: what is in an index. */
@Command(name = "info", description = "Say what is in an index and which model it was built with.")
final class IndexInfoCommand implements Callable<Integer> {
  @Parameters(paramLabel = "INDEX", description = "The index.")
  private Path path = Path.of("");

  @Override
  public Integer call() throws IOException {
    try (Index index = Index.open(path, 1)) {
      System.out.println("images       %,d".formatted(index.count()));
      System.out.println(
          "vectors      %,d of %d numbers".formatted(index.rowCount(), index.dimensions()));
      System.out.println("model        " + Terminal.printable(index.model().toString()));
      System.out.println("pooling      " + index.pooling());
      System.out.println("fingerprint  " + index.fingerprint());
      for (Path root : index.roots()) {
        System.out.println("folder       " + Terminal.printable(root.toString()));
      }
      System.out.println(
          "search       "
              + (index.graphCount() == 0
                  ? "exact: every vector is looked at"
                  : "by a graph over %,d vectors".formatted(index.graphCount())));
      if (!index.isComplete()) {
        System.out.println("incomplete   go on with 'tessera index add " + path + "'");
      }
    }
    return ExitCode.OK;
  }
}
