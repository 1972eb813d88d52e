package dev.tessera.cli;

import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Images on their way through the {@link Pipeline}: slots that decoders fill in any order, and then
 * one input tensor. Used again and again.
 *
 * @param <I> what names an image
 */
final class Batch<I> {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int capacity;
  private final int floatsPerImage;
  private final Tensor pixels;
  private final List<I> files = new ArrayList<>();
  private final @Nullable String[] problems;
  private int pending;
  private boolean closed;

  /** Room for {@code capacity} images of {@code [channels, height, width]} floats. */
  Batch(Arena arena, int capacity, int channels, int height, int width) {
    this.capacity = capacity;
    this.floatsPerImage = channels * height * width;
    this.pixels = Tensor.allocate(arena, DType.F32, Shape.of(capacity, channels, height, width));
    this.problems = new @Nullable String[capacity];
  }

  /** Empties this batch for its next use. */
  synchronized void clear() {
    files.clear();
    pending = 0;
    closed = false;
  }

  /** Takes the next slot for {@code file}. One thread at a time. */
  synchronized int add(I file) {
    files.add(file);
    pending++;
    problems[files.size() - 1] = null;
    return files.size() - 1;
  }

  synchronized boolean isFull() {
    return files.size() == capacity;
  }

  /** No slot will be taken any more. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Fills a slot with the model's input for its image. */
  void fill(int slot, float[] values) {
    MemorySegment.copy(values, 0, pixels.data(), FLOAT, 4L * slot * floatsPerImage, floatsPerImage);
    finish(slot, null);
  }

  /** Says why a slot's image cannot be used. */
  void fail(int slot, String problem) {
    finish(slot, problem);
  }

  private synchronized void finish(int slot, @Nullable String problem) {
    problems[slot] = problem;
    pending--;
    notifyAll();
  }

  /** Waits until every slot is filled or has failed. */
  synchronized void await() throws InterruptedException {
    while (!closed || pending > 0) {
      wait();
    }
  }

  List<I> files() {
    return files;
  }

  @Nullable String problem(int slot) {
    return problems[slot];
  }

  /** Room for all images, of which the first {@link #compact} are valid. */
  Tensor pixels() {
    return pixels;
  }

  /** Moves the good images together to the front, in order; returns how many there are. */
  int compact() {
    long bytes = 4L * floatsPerImage;
    int good = 0;
    for (int slot = 0; slot < files.size(); slot++) {
      if (problems[slot] == null) {
        if (good < slot) {
          MemorySegment.copy(pixels.data(), slot * bytes, pixels.data(), good * bytes, bytes);
        }
        good++;
      }
    }
    return good;
  }
}
