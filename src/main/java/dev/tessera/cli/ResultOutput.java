package dev.tessera.cli;

import dev.tessera.checkpoint.AtomicFile;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Where results are written: standard output, or {@code FILE.partial}, which becomes {@code FILE}
 * when all is done and otherwise stays for {@code --resume}. UTF-8.
 */
final class ResultOutput implements Closeable {
  private static final long FLUSH_INTERVAL = 500_000_000;

  private final String name;
  private final @Nullable Path target;
  private final OutputStream out;
  private long lastFlush = System.nanoTime();

  private ResultOutput(String name, @Nullable Path target, OutputStream out) {
    this.name = name;
    this.target = target;
    this.out = new BufferedOutputStream(out, 1 << 16);
  }

  /** {@code target}, or standard output if that is null. */
  static ResultOutput to(@Nullable Path target) throws Failure {
    return target == null ? standardOutput() : create(target);
  }

  static ResultOutput standardOutput() {
    return new ResultOutput("standard output", null, new FileOutputStream(FileDescriptor.out));
  }

  /** Fails early, before a long run, where {@code target} certainly cannot be written. */
  static void check(@Nullable Path target) throws Failure {
    if (target == null) {
      return;
    }
    Path folder = target.toAbsolutePath().getParent();
    if (Files.isDirectory(target)) {
      throw isFolder(target);
    }
    if (folder != null && !Files.isDirectory(folder)) {
      throw failure(target.toString(), new NoSuchFileException(target.toString()));
    }
    if (folder != null && !Files.isWritable(folder)) {
      throw failure(target.toString(), new AccessDeniedException(target.toString()));
    }
  }

  private static Failure isFolder(Path target) {
    return new Failure(ExitCode.OUTPUT, target + " is a folder; give the name of a file");
  }

  /** Starts {@code target} anew. */
  static ResultOutput create(Path target) throws Failure {
    return open(
        target,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
  }

  /** Goes on with what an interrupted run has left. */
  static ResultOutput append(Path target) throws Failure {
    return open(target, StandardOpenOption.APPEND);
  }

  private static ResultOutput open(Path target, StandardOpenOption... options) throws Failure {
    String name = target.toString();
    if (Files.isDirectory(target)) {
      throw isFolder(target);
    }
    try {
      return new ResultOutput(name, target, Files.newOutputStream(partial(target), options));
    } catch (IOException e) {
      throw failure(name, e);
    }
  }

  /** The file that is written until the run is complete. */
  static Path partial(Path target) {
    return target.resolveSibling(target.getFileName() + ".partial");
  }

  void write(CharSequence text) throws Failure {
    try {
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
      long now = System.nanoTime();
      if (now - lastFlush > FLUSH_INTERVAL) {
        lastFlush = now;
        out.flush();
      }
    } catch (IOException e) {
      throw failure(name, e);
    }
  }

  /** Writes a whole file at once. */
  static void write(Path target, byte[] bytes) throws Failure {
    check(target);
    try {
      AtomicFile.write(target, bytes);
    } catch (IOException e) {
      throw failure(target.toString(), e);
    }
  }

  /** All is written: the file gets its name. */
  void commit() throws Failure {
    try {
      out.flush();
      if (target != null) {
        out.close();
        AtomicFile.move(partial(target), target);
      }
    } catch (IOException e) {
      throw failure(name, e);
    }
  }

  /** Writes out what is buffered. Without {@link #commit} the partial file stays. */
  @Override
  public void close() throws IOException {
    if (target == null) {
      out.flush();
    } else {
      out.close();
    }
  }

  static Failure failure(String name, IOException e) {
    String reason =
        switch (e) {
          case NoSuchFileException _ -> "its folder does not exist";
          case AccessDeniedException _ -> "permission denied";
          default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    return new Failure(ExitCode.OUTPUT, "cannot write " + name + ": " + reason, e);
  }
}
