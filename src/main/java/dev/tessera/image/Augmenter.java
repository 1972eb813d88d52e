package dev.tessera.image;

import dev.tessera.image.Augmentation.Crop;
import java.util.Arrays;

/**
 * From a picture to a varied model input, as an {@link Augmentation} says. Every choice comes from
 * the {@link Draws} given, so equal draws give equal results. An augmenter has no state and may be
 * used by many threads.
 */
public final class Augmenter {
  private static final int ATTEMPTS = 10;

  private final Augmentation augmentation;
  private final Preprocessor preprocessor;

  /** The colour that normalises to about 0. */
  private final byte[] fill;

  /**
   * @param preprocessor of the model: size, normalisation, and the resizing where the augmentation
   *     has none of its own
   */
  public Augmenter(Augmentation augmentation, Preprocessor preprocessor) {
    this.augmentation = augmentation;
    this.preprocessor = preprocessor;
    this.fill = preprocessor.normalization().meanColor();
  }

  /**
   * What is done to an image first and always alike, so that its result may be kept instead of the
   * image.
   */
  public RgbImage prepare(RgbImage image) {
    if (!(augmentation.crop() instanceof Crop.RandomResized)) {
      return preprocessor.picture(image);
    }
    RgbImage source = preprocessor.channels() == 1 ? image.toGray() : image;
    int edge = augmentation.sourceEdge();
    int shorter = Math.min(source.width(), source.height());
    if (edge == 0 || shorter <= edge) {
      return source;
    }
    int longer =
        (int) Math.rint((double) edge * Math.max(source.width(), source.height()) / shorter);
    return source.width() < source.height()
        ? Resample.resize(source, edge, longer, Resample.Filter.BICUBIC)
        : Resample.resize(source, longer, edge, Resample.Filter.BICUBIC);
  }

  /** What {@link #prepare} does, in words: equal ones mean equal results. */
  public String preparation() {
    if (augmentation.crop() instanceof Crop.RandomResized) {
      return "%d channels, shorter side at most %d"
          .formatted(preprocessor.channels(), augmentation.sourceEdge());
    }
    return "%s, %dx%d, %d channels, border %s"
        .formatted(
            preprocessor.describe(),
            preprocessor.width(),
            preprocessor.height(),
            preprocessor.channels(),
            Arrays.toString(preprocessor.border()));
  }

  /** A variant of a prepared image, of the size that the model takes: all but erasing. */
  public RgbImage vary(RgbImage prepared, Draws draws) {
    RgbImage picture =
        switch (augmentation.crop()) {
          case Crop.Preprocessed _ -> prepared;
          case Crop.PadAndCrop crop -> shift(prepared, crop, draws);
          case Crop.RandomResized crop -> randomResized(prepared, crop, draws);
        };
    if (draws.chance(augmentation.horizontalFlip())) {
      picture = mirrored(picture);
    }
    if (draws.chance(augmentation.verticalFlip())) {
      picture = upsideDown(picture);
    }
    RandAugment randAugment = augmentation.randAugment();
    if (randAugment != null) {
      picture = randAugment.apply(picture, fill, draws);
    }
    ColorJitter jitter = augmentation.colorJitter();
    if (jitter != null) {
      picture = jitter.apply(picture, draws);
    }
    return picture;
  }

  /**
   * Writes a variant of a prepared image as {@code [channels, height, width]} floats to {@code
   * target} from {@code offset} on.
   */
  public void apply(RgbImage prepared, Draws draws, float[] target, int offset) {
    preprocessor.normalize(vary(prepared, draws), target, offset);
    RandomErasing erasing = augmentation.randomErasing();
    if (erasing != null) {
      erasing.apply(
          target,
          offset,
          preprocessor.channels(),
          preprocessor.height(),
          preprocessor.width(),
          draws);
    }
  }

  /** What {@link #apply} makes of a prepared image, as a picture for people. */
  public RgbImage preview(RgbImage prepared, Draws draws) {
    float[] values = new float[preprocessor.size()];
    apply(prepared, draws, values, 0);
    return preprocessor.denormalize(values);
  }

  private RgbImage randomResized(RgbImage image, Crop.RandomResized crop, Draws draws) {
    Box box = box(image.width(), image.height(), crop, draws);
    Resample.Filter filter = crop.filters().get(draws.below(crop.filters().size()));
    return Resample.resize(cut(image, box), preprocessor.width(), preprocessor.height(), filter);
  }

  record Box(int left, int top, int width, int height) {}

  /** torchvision's {@code RandomResizedCrop.get_params}. */
  static Box box(int width, int height, Crop.RandomResized crop, Draws draws) {
    double narrow = StrictMath.log(crop.minRatio());
    double wide = StrictMath.log(crop.maxRatio());
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double area = draws.uniform(crop.minScale(), crop.maxScale()) * width * height;
      double ratio = StrictMath.exp(draws.uniform(narrow, wide));
      int columns = (int) Math.rint(Math.sqrt(area * ratio));
      int rows = (int) Math.rint(Math.sqrt(area / ratio));
      if (columns >= 1 && rows >= 1 && columns <= width && rows <= height) {
        int top = draws.below(height - rows + 1);
        return new Box(draws.below(width - columns + 1), top, columns, rows);
      }
    }
    // The largest part in the middle that has a permitted ratio.
    double ratio = Math.clamp((double) width / height, crop.minRatio(), crop.maxRatio());
    int columns = Math.min(width, Math.max(1, (int) Math.rint(height * ratio)));
    int rows = Math.min(height, Math.max(1, (int) Math.rint(width / ratio)));
    return new Box((width - columns) / 2, (height - rows) / 2, columns, rows);
  }

  private static RgbImage cut(RgbImage image, Box box) {
    if (box.width == image.width() && box.height == image.height()) {
      return image;
    }
    byte[] pixels = new byte[3 * box.width * box.height];
    for (int y = 0; y < box.height; y++) {
      System.arraycopy(
          image.pixels(),
          3 * ((box.top + y) * image.width() + box.left),
          pixels,
          3 * y * box.width,
          3 * box.width);
    }
    return new RgbImage(box.width, box.height, pixels);
  }

  private static RgbImage shift(RgbImage image, Crop.PadAndCrop crop, Draws draws) {
    int down = draws.below(2 * crop.padding() + 1) - crop.padding();
    int right = draws.below(2 * crop.padding() + 1) - crop.padding();
    if (down == 0 && right == 0) {
      return image;
    }
    int width = image.width();
    int height = image.height();
    byte[] source = image.pixels();
    byte[] target = new byte[source.length];
    int first = Math.clamp(right, 0, width);
    int end = Math.clamp(width + right, 0, width);
    for (int y = 0; y < height; y++) {
      int row = crop.reflect() ? reflect(y - down, height) : y - down;
      if (row < 0 || row >= height) {
        continue;
      }
      if (end > first) {
        System.arraycopy(
            source,
            3 * (row * width + first - right),
            target,
            3 * (y * width + first),
            3 * (end - first));
      }
      if (crop.reflect()) {
        for (int x = 0; x < width; x++) {
          if (x < first || x >= end) {
            int from = 3 * (row * width + reflect(x - right, width));
            System.arraycopy(source, from, target, 3 * (y * width + x), 3);
          }
        }
      }
    }
    return new RgbImage(width, height, target);
  }

  /** Mirrored at the edges, which are not repeated: -1 is 1, and so on without end. */
  private static int reflect(int position, int size) {
    if (size == 1) {
      return 0;
    }
    int period = 2 * (size - 1);
    int within = Math.floorMod(position, period);
    return within < size ? within : period - within;
  }

  private static RgbImage mirrored(RgbImage image) {
    int width = image.width();
    byte[] source = image.pixels();
    byte[] target = new byte[source.length];
    for (int row = 0; row < source.length; row += 3 * width) {
      int to = row + 3 * width - 3;
      for (int from = row; from < row + 3 * width; from += 3, to -= 3) {
        target[to] = source[from];
        target[to + 1] = source[from + 1];
        target[to + 2] = source[from + 2];
      }
    }
    return new RgbImage(width, image.height(), target);
  }

  private static RgbImage upsideDown(RgbImage image) {
    int stride = 3 * image.width();
    byte[] source = image.pixels();
    byte[] target = Arrays.copyOf(source, source.length);
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(source, y * stride, target, (image.height() - 1 - y) * stride, stride);
    }
    return new RgbImage(image.width(), image.height(), target);
  }
}
