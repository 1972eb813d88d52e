package dev.tessera.search;

import java.nio.file.Path;
import java.util.HexFormat;

/**
 * One picture of an index.
 *
 * @param root the folder that was indexed
 * @param path the way from there, with slashes
 * @param size of the file, in bytes
 * @param modified when the file was last changed, in nanoseconds since 1970
 * @param hash SHA-256 of the file
 */
public record Entry(Path root, String path, long size, long modified, byte[] hash) {
  /** Where the file is, or was. */
  public Path file() {
    return root.resolve(path);
  }

  /** The folder in the root that it lies in, which labelled folders have; empty for none. */
  public String label() {
    int slash = path.indexOf('/');
    return slash < 0 ? "" : path.substring(0, slash);
  }

  /** The hash in hexadecimal digits. */
  public String hashText() {
    return HexFormat.of().formatHex(hash);
  }
}
