package dev.tessera.train;

import dev.tessera.checkpoint.AtomicFile;
import dev.tessera.checkpoint.Safetensors;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** How a run's files get to the disk; tests put one here that fails. */
interface Storage {
  /** Replaces {@code file} in one move. */
  void write(Path file, byte[] bytes) throws IOException;

  /** Replaces {@code file} in one move, in the safetensors format. */
  void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException;

  /**
   * Adds {@code bytes} at the end of {@code file}, or cuts it there first: from byte {@code at}.
   */
  void append(Path file, long at, byte[] bytes) throws IOException;

  /** The file system. */
  static Storage disk() {
    return new Storage() {
      @Override
      public void write(Path file, byte[] bytes) throws IOException {
        AtomicFile.write(file, bytes);
      }

      @Override
      public void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
          throws IOException {
        Safetensors.write(file, tensors, metadata);
      }

      @Override
      public void append(Path file, long at, byte[] bytes) throws IOException {
        try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          channel.truncate(at);
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          for (long position = at; buffer.hasRemaining(); ) {
            position += channel.write(buffer, position);
          }
          channel.force(true);
        }
      }
    };
  }
}
