package dev.tessera.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tessera.data.Batches.Sampling;
import dev.tessera.data.Batches.Settings;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Augmentation.Crop;
import dev.tessera.image.Decoder;
import dev.tessera.image.RandomErasing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchesTest {
  private static final int SIDE = 6;
  private static final PictureCache NO_CACHE = new PictureCache.None();

  /** With everything that is random. */
  private static final Augmentation AUGMENTATION =
      Augmentation.photos().withRandomErasing(RandomErasing.of(0.5, RandomErasing.Mode.PIXEL));

  @TempDir Path folder;

  /** What is left of a batch once its buffers are given back. */
  private record Copy(
      long epoch,
      int index,
      List<String> ids,
      int[] labels,
      float[] pixels,
      float[] targets,
      long[] labelIds) {
    static Copy of(Batch batch) {
      return new Copy(
          batch.epoch(),
          batch.index(),
          batch.images().stream().map(LabelledImage::id).toList(),
          batch.labels(),
          batch.pixels().toFloats(),
          batch.targets().toFloats(),
          batch.labelIds().toLongs());
    }

    float[] row(int row) {
      int length = pixels.length / labelIds.length;
      return Arrays.copyOfRange(pixels, row * length, (row + 1) * length);
    }

    float[] target(int row) {
      int length = targets.length / labelIds.length;
      return Arrays.copyOfRange(targets, row * length, (row + 1) * length);
    }
  }

  private static Batches batches(
      LabelledImages images, Augmentation augmentation, Settings settings) {
    return new Batches(
        images, Fixtures.preprocessor(1, SIDE), augmentation, new Decoder(), NO_CACHE, settings);
  }

  private static List<Copy> take(BatchStream stream, int count) throws InterruptedException {
    List<Copy> copies = new ArrayList<>();
    try (stream) {
      for (int i = 0; i < count; i++) {
        try (Batch batch = Objects.requireNonNull(stream.next())) {
          copies.add(Copy.of(batch));
        }
      }
    }
    return copies;
  }

  private static List<Copy> all(BatchStream stream) throws InterruptedException {
    List<Copy> copies = new ArrayList<>();
    try (stream) {
      while (true) {
        try (Batch batch = stream.next()) {
          if (batch == null) {
            break;
          }
          copies.add(Copy.of(batch));
        }
      }
      assertThat(stream.next()).isNull();
    }
    return copies;
  }

  private static void assertSame(List<Copy> actual, List<Copy> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      assertThat(actual.get(i)).usingRecursiveComparison().isEqualTo(expected.get(i));
    }
  }

  private static Settings everything(int batchSize) {
    return Settings.training(batchSize, 99)
        .withSampling(Sampling.BALANCED)
        .withMixing(new Mixing(0.3, 1, 0.8, 0.5, Mixing.Mode.ELEMENT))
        .withLabelSmoothing(0.1)
        .withClassWeights(new float[] {1, 2, 3});
  }

  @Test
  void theNumberOfThreadsAndTheLeadDoNotShow() throws Exception {
    LabelledImages images = Fixtures.images(SIDE + 3, 40, 9, 20);
    List<Copy> expected =
        take(batches(images, AUGMENTATION, everything(10).withThreads(1)).from(0, 0), 20);
    for (int threads : new int[] {2, 7}) {
      for (int prefetch : new int[] {1, 5}) {
        Settings settings = everything(10).withThreads(threads).withPrefetch(prefetch);
        assertSame(take(batches(images, AUGMENTATION, settings).from(0, 0), 20), expected);
      }
    }
    assertThat(expected.get(0).pixels).isNotEqualTo(expected.get(6).pixels);
  }

  @Test
  void aStreamMayBeginAnywhere() throws Exception {
    LabelledImages images = Fixtures.images(SIDE + 3, 40, 9, 20);
    Batches batches = batches(images, AUGMENTATION, everything(10));
    assertThat(batches.perEpoch()).isEqualTo(6);
    List<Copy> expected = take(batches.from(0, 0), 20);
    for (int start : new int[] {1, 5, 6, 13}) {
      assertSame(
          take(batches(images, AUGMENTATION, everything(10)).from(start / 6, start % 6), 5),
          expected.subList(start, start + 5));
    }
    assertSame(take(batches.from(1, 6), 2), expected.subList(12, 14));
    assertSame(all(batches.epoch(2)), expected.subList(12, 18));
    assertThat(expected.get(13).epoch).isEqualTo(2);
    assertThat(expected.get(13).index).isEqualTo(1);
    assertThatThrownBy(() -> batches.from(0, 7)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> batches.from(-1, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void inOrderEachImageComesOnce() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 5, 6);
    List<Copy> copies = all(batches(images, Augmentation.NONE, Settings.evaluation(4)).epoch(0));
    assertThat(copies).hasSize(3);
    assertThat(copies.get(2).ids).containsExactly("image-008", "image-009", "image-010");
    assertThat(copies.get(1).labels).containsExactly(0, 1, 1, 1);
    assertThat(copies.get(2).labelIds).containsExactly(1, 1, 1, Batch.IGNORED);
    assertThat(copies.get(2).row(3)).containsOnly(0);
    assertThat(copies.get(2).target(3)).containsOnly(0);
    assertThat(copies.get(2).target(2)).containsExactly(0, 1);
    // Samples divided by 255, the first of which is the image's number.
    assertThat(copies.get(1).row(2)[0]).isCloseTo(6 / 255f, within(1e-6f));
    assertThat(copies.get(1).row(2)[3]).isCloseTo((6 + 93) / 255f, within(1e-6f));
  }

  @Test
  void shuffledEpochsDifferAndTakeEachImageOnce() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 15, 8);
    Batches batches = batches(images, Augmentation.NONE, Settings.training(5, 1));
    List<Copy> copies = take(batches.from(0, 0), 8);
    List<String> first = new ArrayList<>();
    List<String> second = new ArrayList<>();
    copies.subList(0, 4).forEach(copy -> first.addAll(copy.ids));
    copies.subList(4, 8).forEach(copy -> second.addAll(copy.ids));
    assertThat(new HashSet<>(first)).hasSize(20);
    assertThat(new HashSet<>(second)).hasSize(20);
    assertThat(first).isNotEqualTo(second).isNotEqualTo(first.stream().sorted().toList());
  }

  @Test
  void fewerImagesThanABatchComeTwice() throws Exception {
    Batches batches = batches(Fixtures.images(SIDE, 3), Augmentation.NONE, Settings.training(8, 1));
    assertThat(batches.perEpoch()).isEqualTo(1);
    List<String> ids = take(batches.from(0, 0), 1).getFirst().ids;
    assertThat(ids).hasSize(8);
    assertThat(new HashSet<>(ids)).hasSize(3);
  }

  @Test
  void balancedEpochsHaveAsManyOfEachClass() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 80, 3, 0, 17);
    EpochOrder order = new EpochOrder(images, Sampling.BALANCED, 4);
    for (long epoch = 0; epoch < 3; epoch++) {
      Map<Integer, Integer> times = new HashMap<>();
      int[] perClass = new int[4];
      for (int index : order.of(epoch)) {
        times.merge(index, 1, Integer::sum);
        perClass[images.get(index).label()]++;
      }
      assertThat(perClass[2]).isZero();
      assertThat(perClass[0]).isBetween(33, 34);
      assertThat(perClass[1]).isBetween(33, 34);
      assertThat(perClass[3]).isBetween(33, 34);
      times.forEach((index, count) -> {
        switch (images.get(index).label()) {
          case 0 -> assertThat(count).isEqualTo(1);
          case 1 -> assertThat(count).isBetween(11, 12);
          default -> assertThat(count).isBetween(1, 2);
        }
      });
    }
    assertThat(order.of(0)).isNotEqualTo(order.of(1)).isEqualTo(order.of(0));
  }

  @Test
  void mixupBlendsImagesAndTargetsAlike() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 16, 16);
    Settings plain = Settings.training(8, 3).withLabelSmoothing(0.2);
    List<Copy> originals = take(batches(images, Augmentation.NONE, plain).from(0, 0), 4);
    for (Mixing.Mode mode : Mixing.Mode.values()) {
      Settings mixed = plain.withMixing(new Mixing(0.8, 0, 1, 0, mode));
      List<Copy> copies = take(batches(images, Augmentation.NONE, mixed).from(0, 0), 4);
      Set<Float> shares = new HashSet<>();
      for (int b = 0; b < copies.size(); b++) {
        for (int i = 0; i < 8; i++) {
          int j = 7 - i;
          float[] first = originals.get(b).row(i);
          float[] second = originals.get(b).row(j);
          float[] actual = copies.get(b).row(i);
          float share = mixed.mixing().choose(i, 8, SIDE, SIDE, 3, 13, 0, b).share();
          shares.add(share);
          for (int k = 0; k < actual.length; k++) {
            assertThat(actual[k])
                .isCloseTo(first[k] * share + second[k] * (1 - share), within(1e-6f));
          }
          for (int c = 0; c < 2; c++) {
            float one = originals.get(b).labels[i] == c ? 0.9f : 0.1f;
            float other = originals.get(b).labels[j] == c ? 0.9f : 0.1f;
            assertThat(copies.get(b).target(i)[c])
                .isCloseTo(one * share + other * (1 - share), within(1e-6f));
          }
        }
        assertThat(copies.get(b).labels).isEqualTo(originals.get(b).labels);
      }
      assertThat(shares)
          .hasSize(mode == Mixing.Mode.BATCH ? 4 : mode == Mixing.Mode.PAIR ? 16 : 32);
    }
  }

  @Test
  void nothingIsMixedAfterTheEpochsForIt() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 8, 8);
    Settings plain = Settings.training(8, 3);
    Settings mixed = plain.withMixing(new Mixing(0.8, 0, 1, 0, Mixing.Mode.BATCH, 2));
    List<Copy> originals = take(batches(images, Augmentation.NONE, plain).from(0, 0), 8);
    List<Copy> copies = take(batches(images, Augmentation.NONE, mixed).from(0, 0), 8);
    for (int b = 0; b < 8; b++) {
      boolean same = Arrays.equals(copies.get(b).pixels, originals.get(b).pixels);
      assertThat(same).isEqualTo(copies.get(b).epoch >= 2);
      assertThat(Arrays.equals(copies.get(b).targets, originals.get(b).targets)).isEqualTo(same);
    }
  }

  @Test
  void cutMixPastesWhatItsTargetsSay() throws Exception {
    LabelledImages images = Fixtures.images(SIDE, 64, 64);
    Settings plain = Settings.training(16, 3);
    List<Copy> originals = take(batches(images, Augmentation.NONE, plain).from(0, 0), 8);
    Settings mixed = plain.withMixing(new Mixing(0, 1, 1, 0, Mixing.Mode.ELEMENT));
    List<Copy> copies = take(batches(images, Augmentation.NONE, mixed).from(0, 0), 8);
    double sum = 0;
    for (int b = 0; b < 8; b++) {
      for (int i = 0; i < 16; i++) {
        float[] own = originals.get(b).row(i);
        float[] other = originals.get(b).row(15 - i);
        float[] actual = copies.get(b).row(i);
        int pasted = 0;
        for (int k = 0; k < actual.length; k++) {
          assertThat(actual[k] == own[k] || actual[k] == other[k]).isTrue();
          pasted += actual[k] == own[k] ? 0 : 1;
        }
        double share = pasted / (double) actual.length;
        sum += share;
        if (originals.get(b).labels[i] != originals.get(b).labels[15 - i]) {
          assertThat(copies.get(b).target(i)[originals.get(b).labels[15 - i]])
              .isCloseTo((float) share, within(1e-6f));
        }
      }
    }
    assertThat(sum / 128).isBetween(0.2, 0.5);
  }

  @Test
  void mixingIsOftenEnoughAndLeavesTheRestAlone() {
    Mixing mixing = new Mixing(0.8, 1, 0.5, 0.25, Mixing.Mode.BATCH);
    int kept = 0;
    int cut = 0;
    for (int batch = 0; batch < 4000; batch++) {
      Mixing.Choice choice = mixing.choose(3, 8, 32, 32, 1, batch);
      assertThat(mixing.choose(5, 8, 32, 32, 1, batch)).isEqualTo(choice);
      kept += choice.equals(Mixing.Choice.KEEP) ? 1 : 0;
      cut += choice.rectangle() ? 1 : 0;
    }
    assertThat(kept / 4000.0).isCloseTo(0.5, within(0.03));
    assertThat(cut / 4000.0).isCloseTo(0.125, within(0.02));
  }

  @Test
  void targetsAreSmoothedAndWeighted() throws Exception {
    Settings settings =
        Settings.training(3, 0).withLabelSmoothing(0.3).withClassWeights(new float[] {1, 10, 100});
    Copy copy =
        take(batches(Fixtures.images(SIDE, 1, 1, 1), Augmentation.NONE, settings).from(0, 0), 1)
            .getFirst();
    for (int row = 0; row < 3; row++) {
      for (int c = 0; c < 3; c++) {
        double expected = (copy.labels[row] == c ? 0.8 : 0.1) * Math.pow(10, c);
        assertThat((double) copy.target(row)[c]).isCloseTo(expected, within(1e-5));
      }
    }
  }

  private LabelledImages files(int count, int... damaged) throws Exception {
    for (int i = 0; i < count; i++) {
      Fixtures.png(folder.resolve("c%d/%02d.png".formatted(i % 2, i)), 8, 8, i * 0x70305);
    }
    for (int i : damaged) {
      Files.writeString(folder.resolve("c%d/%02d.png".formatted(i % 2, i)), "no image");
    }
    return Dataset.open(folder).part(Part.ALL);
  }

  @Test
  void imagesThatCannotBeReadAreListedAndLeftOut() throws Exception {
    LabelledImages images = files(10, 0, 5, 6);
    Batches batches = batches(images, Augmentation.NONE, Settings.evaluation(4));
    List<Copy> copies = all(batches.epoch(0));
    assertThat(copies.stream().flatMap(copy -> copy.ids.stream()))
        .containsExactly(
            "c0/02.png",
            "c0/04.png",
            "c0/08.png",
            "c1/01.png",
            "c1/03.png",
            "c1/07.png",
            "c1/09.png");
    assertThat(copies.get(0).labelIds).containsExactly(0, 0, Batch.IGNORED, Batch.IGNORED);
    assertThat(copies.get(0).row(2)).containsOnly(0);
    assertThat(batches.problems()).containsOnlyKeys("c0/00.png", "c0/06.png", "c1/05.png");
    assertThat(batches.problems().get("c1/05.png")).contains("05.png is not an image");
    // A row that moved up is the image's own.
    assertThat(copies.get(0).row(0)).isNotEqualTo(copies.get(0).row(1));
  }

  @Test
  void inTrainingOthersOfTheirClassTakeTheirPlace() throws Exception {
    LabelledImages images = files(12, 0, 5, 6);
    Settings settings = Settings.training(4, 7).withThreads(3);
    Batches batches = batches(images, AUGMENTATION, settings);
    List<Copy> expected = take(batches.from(0, 0), 9);
    for (Copy copy : expected) {
      assertThat(copy.ids).hasSize(4).doesNotContain("c0/00.png", "c1/05.png", "c0/06.png");
    }
    assertThat(batches.problems()).hasSize(3);
    // Known from the beginning or found on the way: the same images stand in.
    assertSame(take(batches.from(0, 0), 9), expected);
    assertSame(
        take(batches(images, AUGMENTATION, settings.withThreads(1)).from(1, 1), 3),
        expected.subList(4, 7));
  }

  @Test
  void nothingReadableIsAnError() throws Exception {
    LabelledImages images = files(4, 0, 1, 2, 3);
    try (BatchStream stream =
        batches(images, Augmentation.NONE, Settings.training(2, 0)).from(0, 0)) {
      assertThatThrownBy(stream::next)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nothing to train on");
    }
    List<Copy> copies = all(batches(images, Augmentation.NONE, Settings.evaluation(2)).epoch(0));
    assertThat(copies).hasSize(2).allSatisfy(copy -> assertThat(copy.ids).isEmpty());
  }

  @Test
  void aCacheDoesNotChangeWhatComes() throws Exception {
    LabelledImages images = files(12);
    for (Augmentation augmentation :
        List.of(
            AUGMENTATION.withSourceEdge(7),
            Augmentation.NONE.withCrop(new Crop.PadAndCrop(2, true)))) {
      Settings settings = Settings.training(4, 7);
      List<Copy> expected = take(batches(images, augmentation, settings).from(0, 0), 9);
      Path caches = folder.resolveSibling(folder.getFileName() + "-cache");
      for (PictureCache cache :
          List.of(
              new PictureCache.Memory(1 << 20),
              new PictureCache.Memory(500),
              new PictureCache.Disk(caches, 1 << 20),
              new PictureCache.Disk(caches, 1 << 20),
              new PictureCache.Disk(caches.resolve("small"), 500))) {
        try (Batches cached =
            new Batches(
                images,
                Fixtures.preprocessor(1, SIDE),
                augmentation,
                new Decoder(),
                cache,
                settings)) {
          assertSame(take(cached.from(0, 0), 9), expected);
          assertSame(take(cached.from(0, 0), 9), expected);
        }
      }
    }
  }

  @Test
  void cachedImagesAreNotReadAgain() throws Exception {
    LabelledImages images = files(6);
    Batches cached =
        new Batches(
            images,
            Fixtures.preprocessor(3, SIDE),
            null,
            new Decoder(),
            new PictureCache.Memory(1 << 20),
            Settings.evaluation(4));
    List<Copy> expected = all(cached.epoch(0));
    for (LabelledImage image : images.images()) {
      Files.delete(folder.resolve(image.id()));
    }
    assertSame(all(cached.epoch(0)), expected);
    assertThat(cached.problems()).isEmpty();
  }

  @Test
  void buffersAreBoundedAndGivenBack() throws Exception {
    Batches batches =
        batches(
            Fixtures.images(SIDE, 50), Augmentation.NONE, Settings.training(2, 0).withPrefetch(2));
    BatchStream stream = batches.from(0, 0);
    Batch first = Objects.requireNonNull(stream.next());
    Batch second = Objects.requireNonNull(stream.next());
    Batch third = Objects.requireNonNull(stream.next());
    assertThatThrownBy(stream::next)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("close batches");
    second.close();
    second.close();
    Batch fourth = Objects.requireNonNull(stream.next());
    assertThat(fourth).isSameAs(second);
    assertThat(fourth.index()).isEqualTo(3);
    first.close();
    third.close();
    stream.close();
    stream.close();
    fourth.close();
    assertThatThrownBy(stream::next)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> fourth.pixels().toFloats()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void settingsThatMakeNoSenseAreRefused() {
    LabelledImages images = Fixtures.images(SIDE, 3, 3);
    assertThatThrownBy(() ->
            batches(
                images, Augmentation.NONE, Settings.training(2, 0).withClassWeights(new float[3])))
        .hasMessageContaining("3 weights for 2 classes");
    assertThatThrownBy(() -> batches(images.subset(), Augmentation.NONE, Settings.training(2, 0)))
        .hasMessageContaining("no images");
    assertThatThrownBy(() -> Settings.training(0, 0)).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> Settings.training(1, 0).withLabelSmoothing(1))
        .hasMessageContaining("label smoothing");
    assertThatThrownBy(() -> Settings.evaluation(1).withMixing(Mixing.of(1, 1)))
        .hasMessageContaining("not mixed");
    assertThatThrownBy(() -> new Mixing(-1, 0, 1, 1, Mixing.Mode.BATCH))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Mixing(1, 0, 1, 1, Mixing.Mode.BATCH, -1))
        .hasMessageContaining("epochs of at least 0");
  }
}
