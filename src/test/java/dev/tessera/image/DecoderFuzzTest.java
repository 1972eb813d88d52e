package dev.tessera.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damages every reference file in every way it can think of. Whatever the bytes, a decoder answers
 * with a picture or an {@link ImageException}, soon, and without allocating more than the file and
 * the limit on pixels justify.
 *
 * <p>Seeded, so that a failure repeats; {@code -Dtessera.fuzz.seconds} and {@code
 * -Dtessera.fuzz.seed} make it longer or different.
 */
class DecoderFuzzTest {
  private static final long MAX_PIXELS = 4_000_000;
  private static final long MAX_NANOS = 5_000_000_000L;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Decoder decoder = new Decoder(new Limits(MAX_PIXELS, 1 << 24));

  @Test
  void answersWithAPictureOrAnImageException() throws IOException {
    long seed = Long.getLong("tessera.fuzz.seed", 20260101);
    long seconds = Long.getLong("tessera.fuzz.seconds", 8);
    Random random = new Random(seed);
    List<byte[]> corpus = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (String folder : List.of("files", "bad", "variants")) {
      for (Path file : Golden.list(Golden.resources(folder))) {
        byte[] data = Files.readAllBytes(file);
        if (data.length <= 64 * 1024) {
          corpus.add(data);
          names.add(file.getFileName().toString());
        }
      }
    }
    assertThat(corpus).hasSizeGreaterThan(100);
    decodeAll(corpus, names); // so that class loading is not counted as a file's allocation
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    int runs = 0;
    int decoded = 0;
    while (System.nanoTime() < end) {
      int i = runs % corpus.size();
      byte[] mutant = mutate(corpus, i, random);
      runs++;
      if (decode(mutant, names.get(i) + " mutant " + runs + " of seed " + seed)) {
        decoded++;
      }
    }
    System.out.printf("%d mutants, %d of them still pictures%n", runs, decoded);
    // Both answers must occur, or the mutations test nothing.
    assertThat(decoded).isBetween(runs / 50, runs - runs / 50);
  }

  private void decodeAll(List<byte[]> corpus, List<String> names) {
    for (int i = 0; i < corpus.size(); i++) {
      try {
        decoder.decode(corpus.get(i), names.get(i));
      } catch (ImageException expected) {
        assertThat(expected).hasMessageStartingWith(names.get(i));
      }
    }
  }

  private boolean decode(byte[] data, String name) {
    long before = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    boolean picture;
    try {
      RgbImage image = decoder.decode(data, name);
      assertThat((long) image.width() * image.height()).isLessThanOrEqualTo(MAX_PIXELS);
      picture = true;
    } catch (ImageException e) {
      assertThat(e.getMessage()).startsWith(name + " ").hasSizeLessThan(name.length() + 400);
      picture = false;
    } catch (Throwable t) {
      dump(data);
      throw new AssertionError(name, t);
    }
    long nanos = System.nanoTime() - start;
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    // Three copies of the largest picture, its samples at 16 bits and what a reader needs itself.
    long allowed = 24 * MAX_PIXELS + 64L * data.length + (8 << 20);
    if (bytes > allowed || nanos > MAX_NANOS) {
      dump(data);
    }
    assertThat(bytes).as("bytes allocated for %s", name).isLessThan(allowed);
    assertThat(nanos).as("nanoseconds for %s", name).isLessThan(MAX_NANOS);
    return picture;
  }

  private static void dump(byte[] data) {
    try {
      Path file = Files.createTempFile("tessera-fuzz", ".bin");
      Files.write(file, data);
      System.err.println("the offending bytes are in " + file);
    } catch (IOException e) {
      System.err.println("the offending bytes could not be saved: " + e);
    }
  }

  private static byte[] mutate(List<byte[]> corpus, int index, Random random) {
    byte[] data = corpus.get(index).clone();
    int rounds = 1 + random.nextInt(4);
    for (int i = 0; i < rounds && data.length > 4; i++) {
      data =
          switch (random.nextInt(8)) {
            case 0 -> flipBits(data, random, data.length);
            case 1 -> flipBits(data, random, Math.min(data.length, 64));
            case 2 -> java.util.Arrays.copyOf(data, random.nextInt(data.length));
            case 3 -> splice(data, corpus.get(random.nextInt(corpus.size())), random);
            case 4, 5 -> extremeNumber(data, random);
            case 6 -> repeat(data, random);
            default -> remove(data, random);
          };
    }
    return data;
  }

  private static byte[] flipBits(byte[] data, Random random, int within) {
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      data[random.nextInt(within)] ^= (byte) (1 << random.nextInt(8));
    }
    return data;
  }

  /** Overwrites a field, more often one near the front, with a number that invites overflow. */
  private static byte[] extremeNumber(byte[] data, Random random) {
    long[] values = {
      0, 1, 0x7f, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffffL, 0x80000000L, 0xffffffffL
    };
    long value = values[random.nextInt(values.length)] + random.nextInt(3) - 1;
    int size = 1 << random.nextInt(3);
    int at = random.nextInt(random.nextBoolean() ? Math.min(data.length, 256) : data.length);
    boolean big = random.nextBoolean();
    for (int i = 0; i < size && at + i < data.length; i++) {
      data[at + i] = (byte) (value >> 8 * (big ? size - 1 - i : i));
    }
    return data;
  }

  private static byte[] splice(byte[] data, byte[] other, Random random) {
    int head = random.nextInt(data.length);
    int tail = other.length == 0 ? 0 : random.nextInt(other.length);
    byte[] joined = java.util.Arrays.copyOf(data, head + tail);
    System.arraycopy(other, other.length - tail, joined, head, tail);
    return joined;
  }

  private static byte[] repeat(byte[] data, Random random) {
    int from = random.nextInt(data.length);
    int count = Math.min(data.length - from, 1 + random.nextInt(64));
    byte[] longer = java.util.Arrays.copyOf(data, data.length + count);
    System.arraycopy(data, from, longer, from + count, data.length - from);
    return longer;
  }

  private static byte[] remove(byte[] data, Random random) {
    int from = random.nextInt(data.length);
    int count = Math.min(data.length - from, 1 + random.nextInt(64));
    byte[] shorter = java.util.Arrays.copyOf(data, data.length - count);
    System.arraycopy(data, from + count, shorter, from, data.length - from - count);
    return shorter;
  }
}
