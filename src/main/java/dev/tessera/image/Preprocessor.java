package dev.tessera.image;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From a picture to a model's input, as the checkpoint's own configuration says: resize, centre
 * crop with padding, rescale, normalise.
 *
 * <p>The results are those of transformers' image processors with the Pillow backend and of timm's
 * evaluation transforms. A preprocessor has no state and may be used by many threads.
 *
 * @param name the processor that is followed, such as {@code ViTImageProcessor}
 * @param channels 3, or 1 where the model takes gray pictures
 * @param height of the result
 * @param width of the result
 * @param scaling size before the crop
 * @param filter resampling filter
 * @param crop how the result is cut out of the scaled picture
 * @param border RGB of what lies outside the scaled picture, before normalisation
 * @param normalization from samples to floats
 */
public record Preprocessor(
    String name,
    int channels,
    int height,
    int width,
    Scaling scaling,
    Resample.Filter filter,
    Crop crop,
    int[] border,
    Normalization normalization) {

  /** Where the middle is when the margins do not divide by two. */
  enum Crop {
    NONE,
    /** transformers: rounded down, also where the picture is smaller than the crop. */
    FLOOR,
    /** torchvision: rounded half to even; padding rounded towards zero. */
    HALF_EVEN
  }

  /** The most values a model input may have: far above any model, far below what would not fit. */
  private static final int MAX_SIDE = 8192;

  public Preprocessor {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException("models with " + channels + " channels are not supported");
    }
    if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) {
      throw new IllegalArgumentException(
          "an input of %dx%d pixels is not supported".formatted(width, height));
    }
  }

  /**
   * The preprocessor of a Hugging Face checkpoint.
   *
   * @param preprocessorConfig preprocessor_config.json as parsed JSON (Map, List, String, Number,
   *     Boolean, null), or null if the checkpoint has none
   * @param modelConfig config.json
   * @throws IllegalArgumentException if the configuration is not understood, saying what in it
   */
  public static Preprocessor ofHuggingFace(
      @Nullable Map<String, ? extends @Nullable Object> preprocessorConfig,
      Map<String, ? extends @Nullable Object> modelConfig) {
    return HuggingFaceProcessors.read(preprocessorConfig, modelConfig);
  }

  /**
   * The evaluation transform of a timm checkpoint.
   *
   * @param config timm's config.json, with {@code pretrained_cfg} nested or flat
   * @throws IllegalArgumentException if the configuration is not understood, saying what in it
   */
  public static Preprocessor ofTimm(Map<String, ? extends @Nullable Object> config) {
    return TimmTransforms.read(config);
  }

  /**
   * The evaluation transform of an open_clip checkpoint.
   *
   * @param config open_clip_config.json
   * @throws IllegalArgumentException if the configuration is not understood, saying what in it
   */
  public static Preprocessor ofOpenClip(Map<String, ? extends @Nullable Object> config) {
    return OpenClipTransforms.read(config);
  }

  /** The number of floats of one result: channels times height times width. */
  public int size() {
    return channels * height * width;
  }

  /**
   * Writes {@code [channels, height, width]} floats for {@code image} to {@code target} from {@code
   * offset} on.
   *
   * @throws IllegalArgumentException if the checkpoint does not resize and the image has another
   *     size than the model takes
   */
  public void apply(RgbImage image, float[] target, int offset) {
    normalize(picture(image), target, offset);
  }

  /**
   * {@code image} as the model sees it, before its samples become floats: {@link #width} by {@link
   * #height} pixels, gray where the model takes one channel.
   *
   * @throws IllegalArgumentException as {@link #apply} does
   */
  public RgbImage picture(RgbImage image) {
    RgbImage source = channels == 1 ? image.toGray() : image;
    int[] scaled = scaling.target(source.height(), source.width());
    int top = margin(scaled[0], height);
    int left = margin(scaled[1], width);
    if (crop == Crop.NONE && (scaled[0] != height || scaled[1] != width)) {
      throw new IllegalArgumentException(
          "an image of %dx%d pixels is not %dx%d, and the preprocessing does not resize"
              .formatted(image.width(), image.height(), width, height));
    }
    // What is visible of the scaled picture: only that is resampled.
    int firstRow = Math.max(top, 0);
    int firstColumn = Math.max(left, 0);
    int rows = Math.min(top + height, scaled[0]) - firstRow;
    int columns = Math.min(left + width, scaled[1]) - firstColumn;
    RgbImage visible =
        Resample.resize(source, scaled[1], scaled[0], filter, firstColumn, firstRow, columns, rows);
    return rows == height && columns == width
        ? visible
        : framed(visible, firstRow - top, firstColumn - left);
  }

  /** {@code picture} with its corner at ({@code left}, {@code top}) of a picture of the border. */
  private RgbImage framed(RgbImage picture, int top, int left) {
    byte[] pixels = new byte[3 * width * height];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) border[i % 3];
    }
    for (int y = 0; y < picture.height(); y++) {
      System.arraycopy(
          picture.pixels(),
          3 * y * picture.width(),
          pixels,
          3 * ((top + y) * width + left),
          3 * picture.width());
    }
    return new RgbImage(width, height, pixels);
  }

  /**
   * Writes a picture of the model's size as {@code [channels, height, width]} floats to {@code
   * target} from {@code offset} on.
   */
  public void normalize(RgbImage picture, float[] target, int offset) {
    if (picture.width() != width || picture.height() != height) {
      throw new IllegalArgumentException(
          "a picture of %dx%d pixels is not %dx%d"
              .formatted(picture.width(), picture.height(), width, height));
    }
    for (int c = 0; c < channels; c++) {
      copyChannel(
          picture.pixels(), c, normalization.levels()[c], target, offset + c * height * width);
    }
  }

  /** The picture that {@link #normalize} makes of {@code values}, or the nearest one. */
  RgbImage denormalize(float[] values) {
    byte[] pixels = new byte[3 * width * height];
    for (int i = 0; i < pixels.length; i++) {
      int c = Math.min(i % 3, channels - 1);
      float[] levels = normalization.levels()[c];
      float value = values[c * width * height + i / 3];
      pixels[i] =
          (byte)
              Math.round(Math.clamp(255 * (value - levels[0]) / (levels[255] - levels[0]), 0, 255));
    }
    return new RgbImage(width, height, pixels);
  }

  private void copyChannel(byte[] pixels, int channel, float[] levels, float[] target, int to) {
    int count = width * height;
    for (int i = 0, from = channel; i < count; i++, from += 3) {
      target[to + i] = levels[pixels[from] & 0xff];
    }
  }

  /**
   * What a model sees of a picture, in shares of its width and height from the left and from the
   * top; below 0 and above 1 where it is padded.
   */
  public record View(double left, double top, double right, double bottom) {}

  /** What the model sees of a picture of this size, in pixels. */
  public View view(int pictureWidth, int pictureHeight) {
    int[] scaled = scaling.target(pictureHeight, pictureWidth);
    double top = margin(scaled[0], height);
    double left = margin(scaled[1], width);
    return new View(
        left / scaled[1], top / scaled[0], (left + width) / scaled[1], (top + height) / scaled[0]);
  }

  /** How much of {@code size} lies before the crop; negative where padding does. */
  private int margin(int size, int wanted) {
    return switch (crop) {
      case NONE -> 0;
      case FLOOR -> Math.floorDiv(size - wanted, 2);
      case HALF_EVEN ->
          size < wanted ? -((wanted - size) / 2) : (int) Math.rint((size - wanted) / 2.0);
    };
  }

  /** One line for people: what is done to a picture. */
  public String describe() {
    StringBuilder text = new StringBuilder(name).append(": ");
    if (channels == 1) {
      text.append("gray, ");
    }
    text.append(scaling);
    if (!(scaling instanceof Scaling.Keep)) {
      text.append(" (").append(filter.name().toLowerCase(java.util.Locale.ROOT)).append(')');
    }
    if (crop != Crop.NONE) {
      text.append(", centre crop ").append(width).append('x').append(height);
    }
    return text.append(", ").append(normalization.description()).toString();
  }

  @Override
  public String toString() {
    return describe();
  }
}
