package dev.tessera.data;

import dev.tessera.image.Augmentation;
import dev.tessera.image.Augmenter;
import dev.tessera.image.Decoder;
import dev.tessera.image.Draws;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Labelled images as batches for a model: in which order, how varied, with which targets.
 *
 * <p>Everything random is a function of the seed, the epoch and the position in it, computed from
 * these numbers alone. So a stream that starts at any batch gives what a stream from the beginning
 * gives there, bit for bit, whatever the number of threads.
 *
 * <p>An image that can't be read is listed in {@link #problems}. Where images come in order it is
 * left out; in training another image of its class takes its place, the same one in every run.
 */
public final class Batches implements AutoCloseable {
  /** In which order images come. */
  public enum Sampling {
    /** As they are listed, each once. */
    ORDERED,
    /** In another order in every epoch. */
    SHUFFLED,
    /** In another order in every epoch, as many of each class. */
    BALANCED
  }

  /**
   * How batches are made.
   *
   * @param batchSize rows of a batch
   * @param seed of everything random
   * @param mixing of images with each other
   * @param labelSmoothing part of every target that is spread evenly over all classes, from 0 to
   *     below 1
   * @param classWeights what each class's targets are multiplied by; null for 1
   * @param threads that decode; 0 for one for each core
   * @param prefetch batches that are made while one is used; at least 1
   */
  public record Settings(
      int batchSize,
      long seed,
      Sampling sampling,
      Mixing mixing,
      double labelSmoothing,
      float @Nullable [] classWeights,
      int threads,
      int prefetch) {
    public Settings {
      if (batchSize < 1 || threads < 0 || prefetch < 1) {
        throw new IllegalArgumentException(
            "batches need a size and a prefetch of at least 1, and no negative threads");
      }
      if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
        throw new IllegalArgumentException(
            "label smoothing must be from 0 to below 1, not " + labelSmoothing);
      }
      if (mixing.active() && sampling == Sampling.ORDERED) {
        throw new IllegalArgumentException("images that come in order are not mixed");
      }
    }

    /** Shuffled, neither mixed nor smoothed nor weighted. */
    public static Settings training(int batchSize, long seed) {
      return new Settings(batchSize, seed, Sampling.SHUFFLED, Mixing.NONE, 0, null, 0, 2);
    }

    /** In order, each image once. */
    public static Settings evaluation(int batchSize) {
      return new Settings(batchSize, 0, Sampling.ORDERED, Mixing.NONE, 0, null, 0, 2);
    }

    public Settings withSampling(Sampling other) {
      return new Settings(
          batchSize, seed, other, mixing, labelSmoothing, classWeights, threads, prefetch);
    }

    public Settings withMixing(Mixing other) {
      return new Settings(
          batchSize, seed, sampling, other, labelSmoothing, classWeights, threads, prefetch);
    }

    public Settings withLabelSmoothing(double part) {
      return new Settings(batchSize, seed, sampling, mixing, part, classWeights, threads, prefetch);
    }

    public Settings withClassWeights(float @Nullable [] weights) {
      return new Settings(
          batchSize, seed, sampling, mixing, labelSmoothing, weights, threads, prefetch);
    }

    public Settings withThreads(int count) {
      return new Settings(
          batchSize, seed, sampling, mixing, labelSmoothing, classWeights, count, prefetch);
    }

    public Settings withPrefetch(int batches) {
      return new Settings(
          batchSize, seed, sampling, mixing, labelSmoothing, classWeights, threads, batches);
    }
  }

  /** Keep the draws for different purposes apart. */
  private static final long IMAGE = 11;

  private static final long REPLACEMENT = 12;
  private static final long MIXING = 13;

  private static final int REPLACEMENTS = 16;

  private final LabelledImages images;
  private final Preprocessor preprocessor;
  private final Augmenter augmenter;
  private final Decoder decoder;
  private final Settings settings;
  private final PictureStore store;
  private final Map<Integer, String> problems = new ConcurrentHashMap<>();

  /** Indices of the images of each class, for replacements. */
  private final int[][] members;

  /**
   * @param augmentation null for none
   * @throws IllegalArgumentException if there are no images or the settings don't fit them
   */
  public Batches(
      LabelledImages images,
      Preprocessor preprocessor,
      @Nullable Augmentation augmentation,
      Decoder decoder,
      PictureCache cache,
      Settings settings) {
    if (images.size() == 0) {
      throw new IllegalArgumentException("there are no images to make batches of");
    }
    float[] weights = settings.classWeights;
    if (weights != null && weights.length != images.classes().size()) {
      throw new IllegalArgumentException(
          "%d weights for %d classes".formatted(weights.length, images.classes().size()));
    }
    this.images = images;
    this.preprocessor = preprocessor;
    this.augmenter =
        new Augmenter(augmentation == null ? Augmentation.NONE : augmentation, preprocessor);
    this.decoder = decoder;
    this.settings = settings;
    this.store = PictureStore.of(cache, images, augmenter.preparation());
    int[] counts = images.counts();
    members = new int[counts.length][];
    for (int c = 0; c < counts.length; c++) {
      members[c] = new int[counts[c]];
    }
    for (int i = images.size() - 1; i >= 0; i--) {
      int label = images.get(i).label();
      members[label][--counts[label]] = i;
    }
  }

  public LabelledImages images() {
    return images;
  }

  public Settings settings() {
    return settings;
  }

  Preprocessor preprocessor() {
    return preprocessor;
  }

  /**
   * Batches of an epoch. In order, all images; otherwise batches are full, and the images that do
   * not fill one wait for another epoch: of fewer images than a batch has rows, some come twice.
   */
  public int perEpoch() {
    return settings.sampling == Sampling.ORDERED
        ? Math.ceilDiv(images.size(), settings.batchSize)
        : Math.max(1, images.size() / settings.batchSize);
  }

  /**
   * Batches without end, from batch {@code batch} of epoch {@code epoch} on.
   *
   * @param batch from 0 to {@link #perEpoch}, which is the next epoch's first
   */
  public BatchStream from(long epoch, int batch) {
    if (epoch < 0 || batch < 0 || batch > perEpoch()) {
      throw new IllegalArgumentException(
          "there is no batch %d of epoch %d".formatted(batch, epoch));
    }
    return new BatchStream(this, epoch + batch / perEpoch(), batch % perEpoch(), Long.MAX_VALUE);
  }

  /** The batches of one epoch. */
  public BatchStream epoch(long epoch) {
    if (epoch < 0) {
      throw new IllegalArgumentException("there is no epoch " + epoch);
    }
    return new BatchStream(this, epoch, 0, perEpoch());
  }

  /** What is wrong with images that could not be read so far: a sentence for each id. */
  public SortedMap<String, String> problems() {
    SortedMap<String, String> sentences = new TreeMap<>();
    problems.forEach((index, problem) -> sentences.put(images.get(index).id(), problem));
    return Collections.unmodifiableSortedMap(sentences);
  }

  /** Frees the file of a {@link PictureCache.Disk}; its images are decoded from now on. */
  @Override
  public void close() {
    store.close();
  }

  /** The images of an epoch in their order. */
  int[] order(long epoch) {
    return new EpochOrder(images, settings.sampling, settings.seed).of(epoch);
  }

  /** How many rows batch {@code index} of an epoch has. */
  int rows(int index) {
    return settings.sampling == Sampling.ORDERED
        ? Math.min(settings.batchSize, images.size() - index * settings.batchSize)
        : settings.batchSize;
  }

  /** Fills a row of {@code batch}; {@code values} is room for one image. */
  void fill(Batch batch, int row, int[] order, float[] values) {
    int position = batch.index() * settings.batchSize + row;
    int index = order[position % order.length];
    RgbImage prepared = prepared(index);
    if (prepared == null && settings.sampling != Sampling.ORDERED) {
      Draws draws = Draws.of(settings.seed, REPLACEMENT, batch.epoch(), position);
      int[] pool = members[images.get(index).label()];
      for (int attempt = 0; prepared == null && attempt < 2 * REPLACEMENTS; attempt++) {
        index =
            attempt < REPLACEMENTS ? pool[draws.below(pool.length)] : draws.below(images.size());
        prepared = prepared(index);
      }
      if (prepared == null) {
        throw new IllegalStateException(
            "so many images cannot be read that there is nothing to train on, such as "
                + problems.get(index));
      }
    }
    if (prepared != null) {
      Draws draws = Draws.of(settings.seed, IMAGE, batch.epoch(), position);
      augmenter.apply(prepared, draws, values, 0);
      batch.fill(row, images.get(index), values);
    }
  }

  private @Nullable RgbImage prepared(int index) {
    if (problems.containsKey(index)) {
      return null;
    }
    LabelledImage image = images.get(index);
    boolean keep = image.source() instanceof ImageSource.File;
    RgbImage kept = keep ? store.get(index) : null;
    if (kept != null) {
      return kept;
    }
    try {
      RgbImage prepared = augmenter.prepare(image.source().decode(decoder));
      if (keep) {
        store.put(index, prepared);
      }
      return prepared;
    } catch (ImageException e) {
      problems.put(index, String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      problems.put(index, image.id() + ": " + e.getMessage());
    }
    return null;
  }

  /** All rows are there: compacts them, mixes them and writes the targets. */
  void finish(Batch batch) {
    batch.compact();
    int classes = images.classes().size();
    float[][] targets = new float[batch.count()][];
    float even = (float) (settings.labelSmoothing / classes);
    for (int row = 0; row < targets.length; row++) {
      targets[row] = new float[classes];
      Arrays.fill(targets[row], even);
      targets[row][batch.image(row).label()] += (float) (1 - settings.labelSmoothing);
    }
    if (settings.mixing.activeIn(batch.epoch())) {
      mix(batch, targets);
    }
    float[] weights = settings.classWeights;
    for (int row = 0; row < targets.length; row++) {
      for (int c = 0; weights != null && c < classes; c++) {
        targets[row][c] *= weights[c];
      }
      batch.target(row, targets[row]);
    }
  }

  private void mix(Batch batch, float[][] targets) {
    int size = targets.length;
    float[] first = new float[preprocessor.size()];
    float[] second = new float[preprocessor.size()];
    for (int i = 0, j = size - 1; i < j; i++, j--) {
      Mixing.Choice forFirst = choice(batch, i, size);
      Mixing.Choice forSecond = choice(batch, j, size);
      batch.load(i, first);
      batch.load(j, second);
      float[] untouched = first.clone();
      Mixing.apply(forFirst, first, second, preprocessor.height(), preprocessor.width());
      Mixing.apply(forSecond, second, untouched, preprocessor.height(), preprocessor.width());
      batch.store(i, first);
      batch.store(j, second);
      float[] original = targets[i].clone();
      blend(targets[i], targets[j], forFirst.share());
      blend(targets[j], original, forSecond.share());
    }
  }

  private Mixing.Choice choice(Batch batch, int row, int size) {
    return settings.mixing.choose(
        row,
        size,
        preprocessor.height(),
        preprocessor.width(),
        settings.seed,
        MIXING,
        batch.epoch(),
        batch.index());
  }

  private static void blend(float[] target, float[] other, float share) {
    for (int c = 0; c < target.length; c++) {
      target[c] = target[c] * share + other[c] * (1 - share);
    }
  }
}
