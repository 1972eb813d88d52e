package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.RgbImage;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One input of a command.
 *
 * @param name as results call it: what the person wrote, or the folder they wrote and the way below
 *     it
 * @param path where it is
 * @param problem why it cannot even be tried, such as a folder that may not be listed; mostly null
 */
record ImageFile(String name, Path path, @Nullable String problem) implements Pipeline.Input {
  ImageFile(String name, Path path) {
    this(name, path, null);
  }

  @Override
  public RgbImage decode(Decoder decoder) throws ImageException {
    return decoder.decode(path);
  }
}
