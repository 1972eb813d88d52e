package dev.tessera.data;

import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Images on their way into a model. The buffers are used again after {@link #close}: keep nothing
 * of a batch beyond that.
 */
public final class Batch implements AutoCloseable {
  /** What labels of rows without an image are, as in PyTorch's losses. */
  public static final long IGNORED = -100;

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final BatchStream stream;
  private final Tensor pixels;
  private final Tensor targets;
  private final Tensor labelIds;
  private final int rowLength;
  private final int classes;

  /** Of each row; null where its image could not be read. */
  private final @Nullable LabelledImage[] rows;

  private long epoch;
  private int index;
  private int size;
  private int count;

  // Guarded by the stream.
  int claimed;
  int unfilled;
  boolean complete;
  boolean handedOut;

  Batch(
      BatchStream stream, Arena arena, int size, int channels, int height, int width, int classes) {
    this.stream = stream;
    this.pixels = Tensor.allocate(arena, DType.F32, Shape.of(size, channels, height, width));
    this.targets = Tensor.allocate(arena, DType.F32, Shape.of(size, classes));
    this.labelIds = Tensor.allocate(arena, DType.I64, Shape.of(size));
    this.rowLength = channels * height * width;
    this.classes = classes;
    this.rows = new @Nullable LabelledImage[size];
  }

  /** Empties this batch; {@code size} rows of it will be filled. */
  void begin(long nextEpoch, int nextIndex, int nextSize) {
    epoch = nextEpoch;
    index = nextIndex;
    size = nextSize;
    count = 0;
    claimed = 0;
    unfilled = nextSize;
    complete = false;
    handedOut = false;
    Arrays.fill(rows, null);
  }

  /** The pass over the data that this batch belongs to, from 0. */
  public long epoch() {
    return epoch;
  }

  /** Which batch of its epoch this is, from 0. */
  public int index() {
    return index;
  }

  /** How many rows are images: the first ones. */
  public int count() {
    return count;
  }

  /** F32 {@code [batchSize, channels, height, width]}; rows without an image are 0. */
  public Tensor pixels() {
    return pixels;
  }

  /**
   * F32 {@code [batchSize, classes]}: what the model should answer, smoothed, mixed and weighted;
   * rows without an image are 0.
   */
  public Tensor targets() {
    return targets;
  }

  /**
   * I64 {@code [batchSize]}: the class of each image before mixing, {@link #IGNORED} without one.
   */
  public Tensor labelIds() {
    return labelIds;
  }

  /** The classes of the {@link #count} images before mixing. */
  public int[] labels() {
    return images().stream().mapToInt(LabelledImage::label).toArray();
  }

  /** The {@link #count} images. */
  public List<LabelledImage> images() {
    LabelledImage[] images = new LabelledImage[count];
    for (int i = 0; i < count; i++) {
      images[i] = image(i);
    }
    return List.of(images);
  }

  LabelledImage image(int row) {
    LabelledImage image = rows[row];
    if (image == null) {
      throw new IllegalStateException("row " + row + " has no image");
    }
    return image;
  }

  /** How many rows are to be filled. */
  int size() {
    return size;
  }

  void fill(int row, LabelledImage image, float[] values) {
    store(row, values);
    rows[row] = image;
  }

  void store(int row, float[] values) {
    MemorySegment.copy(values, 0, pixels.data(), FLOAT, 4L * row * rowLength, rowLength);
  }

  void load(int row, float[] values) {
    MemorySegment.copy(pixels.data(), FLOAT, 4L * row * rowLength, values, 0, rowLength);
  }

  /** All rows are filled or have failed: the good ones move to the front, the rest becomes 0. */
  void compact() {
    long bytes = 4L * rowLength;
    for (int row = 0; row < size; row++) {
      if (rows[row] != null) {
        if (count < row) {
          MemorySegment.copy(pixels.data(), row * bytes, pixels.data(), count * bytes, bytes);
          rows[count] = rows[row];
          rows[row] = null;
        }
        count++;
      }
    }
    pixels.data().asSlice(count * bytes).fill((byte) 0);
    targets.data().fill((byte) 0);
    for (int row = 0; row < rows.length; row++) {
      labelIds.data().setAtIndex(LONG, row, row < count ? image(row).label() : IGNORED);
    }
  }

  void target(int row, float[] values) {
    MemorySegment.copy(values, 0, targets.data(), FLOAT, 4L * row * classes, classes);
  }

  /** Gives the buffers back to the stream. */
  @Override
  public void close() {
    stream.release(this);
  }
}
