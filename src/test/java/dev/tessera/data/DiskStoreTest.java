package dev.tessera.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskStoreTest {
  @TempDir Path folder;

  private DiskStore open(long most) {
    return Objects.requireNonNull(DiskStore.open(folder, "key", 5, most));
  }

  private static RgbImage image(int seed) {
    byte[] pixels = new byte[3 * (2 + seed) * 3];
    new Random(seed).nextBytes(pixels);
    return new RgbImage(2 + seed, 3, pixels);
  }

  private static void assertHolds(DiskStore store, int index, RgbImage expected) {
    RgbImage actual = store.get(index);
    assertThat(actual).isNotNull();
    assertThat(actual.width()).isEqualTo(expected.width());
    assertThat(actual.pixels()).isEqualTo(expected.pixels());
  }

  @Test
  void imagesSurviveTheProcess() {
    try (DiskStore store = open(1 << 20)) {
      assertThat(store.get(3)).isNull();
      store.put(3, image(1));
      store.put(0, image(2).toGray());
      assertHolds(store, 3, image(1));
      // Another process, or another part of this one, goes without.
      assertThat(DiskStore.open(folder, "key", 5, 1 << 20)).isNull();
    }
    try (DiskStore store = open(1 << 20)) {
      assertHolds(store, 3, image(1));
      assertHolds(store, 0, image(2).toGray());
      assertThat(store.get(1)).isNull();
    }
  }

  @Test
  void aRecordThatWasNotFinishedIsForgotten() throws Exception {
    Path file = folder.resolve("key.images");
    for (int cut : new int[] {1, 20, 30, 40}) {
      Files.deleteIfExists(file);
      try (DiskStore store = open(1 << 20)) {
        store.put(0, image(1));
        store.put(1, image(2));
      }
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(whole, whole.length - cut));
      try (DiskStore store = open(1 << 20)) {
        assertHolds(store, 0, image(1));
        assertThat(store.get(1)).isNull();
        store.put(1, image(2));
      }
      assertThat(file).hasBinaryContent(whole);
    }
  }

  @Test
  void damageIsNoticed() throws Exception {
    Path file = folder.resolve("key.images");
    try (DiskStore store = open(1 << 20)) {
      store.put(0, image(1));
    }
    byte[] whole = Files.readAllBytes(file);
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x11;
      Files.write(file, damaged);
      try (DiskStore store = open(1 << 20)) {
        for (int index = 0; index < 5; index++) {
          assertThat(store.get(index)).as("byte %d", at).isNull();
        }
      }
    }
    Files.write(file, new byte[100], StandardOpenOption.TRUNCATE_EXISTING);
    try (DiskStore store = open(1 << 20)) {
      assertThat(store.get(0)).isNull();
    }
  }

  @Test
  void itTakesNoMoreThanItMay() {
    try (DiskStore store = open(100)) {
      store.put(0, image(1));
      store.put(1, image(20));
      store.put(2, image(1).toGray());
      assertThat(store.get(0)).isNotNull();
      assertThat(store.get(1)).isNull();
      assertThat(store.get(2)).isNotNull();
    }
  }

  @Test
  void otherImagesAndOtherPreparationsAreOtherFiles() throws Exception {
    Path file = Fixtures.png(folder.resolve("a/1.png"), 3, 3, 0);
    LabelledImages images = Dataset.open(folder).part(Part.ALL);
    String digest = ImageDigest.of(images, "resized to 5");
    assertThat(ImageDigest.of(images, "resized to 5")).isEqualTo(digest).hasSize(32);
    assertThat(ImageDigest.of(images, "resized to 6")).isNotEqualTo(digest);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
    assertThat(ImageDigest.of(images, "resized to 5")).isNotEqualTo(digest);
  }
}
