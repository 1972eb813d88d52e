package dev.tessera.data.recipe;

import dev.tessera.data.DataException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** Whether a file is the one that was published. */
final class Checksums {
  private Checksums() {}

  static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return digest("SHA-256", in, Long.MAX_VALUE);
    }
  }

  /**
   * Checks {@code file} against everything that is known of it.
   *
   * @param pinned SHA-256 of an earlier download, or null
   * @return its SHA-256
   * @throws DataException if it is another file
   */
  static String check(Path file, Recipe.RemoteFile wanted, @Nullable String pinned)
      throws IOException {
    if (Files.size(file) != wanted.bytes()) {
      throw new DataException(
          "%s has %d bytes, but the published %s has %d"
              .formatted(file, Files.size(file), wanted.name(), wanted.bytes()));
    }
    String sha256 = sha256(file);
    differs(file, "SHA-256", sha256, wanted.sha256());
    if (wanted.sha256() == null) {
      differs(file, "SHA-256", sha256, pinned);
    }
    if (wanted.md5() != null) {
      try (InputStream in = Files.newInputStream(file)) {
        differs(file, "MD5", digest("MD5", in, Long.MAX_VALUE), wanted.md5());
      }
    }
    return sha256;
  }

  /** Whether a gzipped or plain {@code file} holds what the published one does. */
  static boolean sameContent(Path file, Recipe.RemoteFile wanted, long most) throws IOException {
    if (wanted.contentSha256() == null) {
      return false;
    }
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      raw.mark(2);
      boolean zipped = raw.read() == 0x1f && raw.read() == 0x8b;
      raw.reset();
      InputStream content = zipped ? new GZIPInputStream(raw, 1 << 16) : raw;
      return digest("SHA-256", content, most).equals(wanted.contentSha256());
    } catch (ZipException | EOFException e) {
      return false;
    }
  }

  private static void differs(Path file, String kind, String actual, @Nullable String expected)
      throws DataException {
    if (expected != null && !actual.equals(expected)) {
      throw new DataException(
          "%s is not the published file: its %s is %s and should be %s"
              .formatted(file, kind, actual, expected));
    }
  }

  /** Of at most {@code most} bytes. */
  private static String digest(String algorithm, InputStream in, long most) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has " + algorithm, e);
    }
    byte[] buffer = new byte[1 << 16];
    long total = 0;
    for (int count = in.read(buffer); count >= 0 && total <= most; count = in.read(buffer)) {
      digest.update(buffer, 0, count);
      total += count;
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
