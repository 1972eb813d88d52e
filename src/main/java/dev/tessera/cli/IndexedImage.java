package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Limits;
import dev.tessera.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/** A file on its way into an index: read once, for its hash and for its picture. */
final class IndexedImage implements Pipeline.Input {
  private final ImageFile file;
  private final int root;
  private final String relative;
  private final long size;
  private final long modified;
  private final int replaced;
  private byte[] hash = new byte[0];

  /**
   * @param root number of its folder in the index
   * @param relative the way from there, with slashes
   * @param size in bytes, before it is read
   * @param modified its time, in nanoseconds since 1970, before it is read
   * @param replaced row of what it was before; -1 for none
   */
  IndexedImage(ImageFile file, int root, String relative, long size, long modified, int replaced) {
    this.file = file;
    this.root = root;
    this.relative = relative;
    this.size = size;
    this.modified = modified;
    this.replaced = replaced;
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public @Nullable String problem() {
    return file.problem();
  }

  @Override
  public RgbImage decode(Decoder decoder) throws ImageException {
    if (size > Limits.DEFAULT.maxFileBytes()) {
      // The decoder says so, without reading it.
      return decoder.decode(file.path());
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file.path())) {
      bytes = in.readNBytes((int) Math.min(Limits.DEFAULT.maxFileBytes(), Integer.MAX_VALUE - 64));
    } catch (IOException e) {
      // The decoder finds the words for what is wrong.
      return decoder.decode(file.path());
    }
    hash = sha256().digest(bytes);
    return decoder.decode(bytes, file.path().toString());
  }

  /** SHA-256 of the file, once it was decoded. */
  byte[] hash() {
    return hash;
  }

  int root() {
    return root;
  }

  String relative() {
    return relative;
  }

  long size() {
    return size;
  }

  long modified() {
    return modified;
  }

  int replaced() {
    return replaced;
  }

  /** SHA-256 of a file, read in pieces. */
  static byte[] hash(Path file) throws IOException {
    MessageDigest digest = sha256();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
      }
    }
    return digest.digest();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
