package dev.tessera.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --model}, and the model where it is not given. */
final class ModelOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description = {
        "Hugging Face model directory: config.json, model.safetensors, preprocessor_config.json.",
        "Default: the model in pretrained/."
      })
  private @Nullable Path model;

  /** The directory asked for, or {@code otherwise}. */
  Path directory(Path otherwise) {
    return model == null ? otherwise : model;
  }

  /** The directory asked for, or the only one in {@code pretrained/}. */
  Path directory() throws Failure {
    if (model != null) {
      return model;
    }
    Path folder = Path.of(System.getProperty("tessera.home", "."), "pretrained");
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
        for (Path entry : entries) {
          if (Files.isRegularFile(entry.resolve("config.json"))) {
            found.add(entry);
          }
        }
      } catch (IOException e) {
        throw new Failure(ExitCode.CHECKPOINT, folder + " cannot be listed: give --model DIR", e);
      }
    }
    Collections.sort(found);
    if (found.size() == 1) {
      return found.getFirst();
    }
    throw new Failure(
        ExitCode.USAGE,
        found.isEmpty()
            ? "no model: there is none in pretrained/, so give one with --model DIR, a directory with"
                + " config.json and model.safetensors as Hugging Face publishes it"
            : "which model? Give one of these with --model: " + found);
  }
}
