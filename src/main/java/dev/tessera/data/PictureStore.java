package dev.tessera.data;

import dev.tessera.image.RgbImage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** Prepared images by their index, as far as they fit. Used by many threads. */
interface PictureStore extends AutoCloseable {
  /** The image, or null if it is not kept. */
  @Nullable RgbImage get(int index);

  /** Keeps the image if there is room. */
  void put(int index, RgbImage image);

  /** Nothing is asked for any more. */
  @Override
  default void close() {}

  /**
   * A store for {@code images}.
   *
   * @param preparation what is done to them: the same image prepared otherwise is another one
   */
  static PictureStore of(PictureCache cache, LabelledImages images, String preparation) {
    return switch (cache) {
      case PictureCache.None _ -> new Nothing();
      case PictureCache.Memory memory -> new InMemory(images.size(), memory.bytes());
      case PictureCache.Disk disk -> {
        String key = ImageDigest.of(images, preparation);
        DiskStore store = DiskStore.open(disk.folder(), key, images.size(), disk.bytes());
        yield store == null ? new Nothing() : store;
      }
    };
  }

  /** Keeps nothing. */
  final class Nothing implements PictureStore {
    @Override
    public @Nullable RgbImage get(int index) {
      return null;
    }

    @Override
    public void put(int index, RgbImage image) {}
  }

  /** Keeps images on the heap; gray ones take a third. */
  final class InMemory implements PictureStore {
    private static final int OVERHEAD = 64;

    private final AtomicReferenceArray<ImageSource.@Nullable Samples> kept;
    private final AtomicLong room;

    InMemory(int count, long bytes) {
      kept = new AtomicReferenceArray<>(count);
      room = new AtomicLong(bytes);
    }

    @Override
    public @Nullable RgbImage get(int index) {
      ImageSource.Samples samples = kept.get(index);
      return samples == null ? null : samples.image();
    }

    @Override
    public void put(int index, RgbImage image) {
      ImageSource.Samples samples = ImageSource.Samples.of(image);
      long bytes = (long) samples.samples().length + OVERHEAD;
      if (room.addAndGet(-bytes) < 0 || !kept.compareAndSet(index, null, samples)) {
        room.addAndGet(bytes);
      }
    }
  }
}
