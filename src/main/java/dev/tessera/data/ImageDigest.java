package dev.tessera.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells sets of images apart without reading them. */
final class ImageDigest {
  private static final int DIGITS = 32;

  private ImageDigest() {}

  /**
   * A digest of the images' names, sizes and times of change, in their order, and of {@code
   * preparation}.
   */
  static String of(LabelledImages images, String preparation) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    add(digest, preparation);
    for (LabelledImage image : images.images()) {
      add(digest, image.id());
      if (image.source() instanceof ImageSource.File file) {
        add(digest, version(file.path()));
      }
    }
    return HexFormat.of().formatHex(digest.digest()).substring(0, DIGITS);
  }

  private static String version(Path path) {
    try {
      return path.toAbsolutePath()
          + " "
          + Files.size(path)
          + " "
          + Files.getLastModifiedTime(path).toMillis();
    } catch (IOException e) {
      return "missing";
    }
  }

  private static void add(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
  }
}
