package dev.tessera.model;

import dev.tessera.graph.Graph;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * Tells whether two models embed alike, from what they do and not from how they are written down:
 * every weight that the graph reads goes in through its checksum, and the preprocessing through
 * what it makes of a test picture.
 *
 * <p>Checksums are CRC-32C, which runs as fast as memory is read; the fingerprint guards against
 * mistakes and not against forgery.
 */
final class Fingerprint {
  private static final long PIECE = 1L << 30;

  private Fingerprint() {}

  static String of(Model model, Graph graph, Preprocessor preprocessor, Pooling pooling) {
    MessageDigest digest = sha256();
    add(digest, "tessera embedding 1");
    add(digest, "pooling " + pooling);
    add(digest, "layers " + model.layers() + " heads " + model.heads());
    for (String name : new TreeSet<>(graph.parameters().keySet())) {
      Tensor tensor = model.parameters().get(name);
      if (tensor != null) {
        add(digest, name + " " + tensor.dtype() + " " + Long.toHexString(checksum(tensor)));
      }
    }
    add(digest, "preprocessing " + Long.toHexString(checksum(preprocessor)));
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  private static long checksum(Tensor tensor) {
    CRC32C checksum = new CRC32C();
    MemorySegment data = tensor.data();
    for (long from = 0; from < data.byteSize(); from += PIECE) {
      checksum.update(data.asSlice(from, Math.min(PIECE, data.byteSize() - from)).asByteBuffer());
    }
    return checksum.getValue();
  }

  private static long checksum(Preprocessor preprocessor) {
    float[] values = new float[preprocessor.size()];
    try {
      preprocessor.apply(picture(331, 517), values, 0);
    } catch (IllegalArgumentException e) {
      // It does not resize and takes pictures of one size alone.
      preprocessor.apply(picture(preprocessor.height(), preprocessor.width()), values, 0);
    }
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    for (float value : values) {
      bytes.putFloat(value);
    }
    CRC32C checksum = new CRC32C();
    checksum.update(bytes.flip());
    return checksum.getValue();
  }

  /** Anything without symmetries, in which no two neighbours are alike. */
  private static RgbImage picture(int height, int width) {
    byte[] samples = new byte[3 * height * width];
    int state = 1;
    for (int i = 0; i < samples.length; i++) {
      state = state * 1664525 + 1013904223;
      samples[i] = (byte) (state >>> 24);
    }
    return new RgbImage(width, height, samples);
  }

  private static void add(MessageDigest digest, String line) {
    digest.update((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
