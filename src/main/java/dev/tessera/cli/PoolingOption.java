package dev.tessera.cli;

import dev.tessera.model.Pooling;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --pool} of commands that compare images. */
final class PoolingOption {
  @Option(
      names = "--pool",
      paramLabel = "WHAT",
      description = "${COMPLETION-CANDIDATES}; see 'tessera embed'. Default: as the model says.")
  private @Nullable Pooling pooling;

  /** What was asked for; null for what the model says. */
  @Nullable Pooling asked() {
    return pooling;
  }
}
