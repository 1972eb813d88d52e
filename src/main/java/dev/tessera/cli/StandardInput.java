package dev.tessera.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Standard input, wherever the launcher has put it. */
final class StandardInput {
  private StandardInput() {}

  static InputStream open() throws IOException {
    String moved = System.getProperty("tessera.stdin");
    return moved == null ? System.in : Files.newInputStream(Path.of(moved));
  }
}
