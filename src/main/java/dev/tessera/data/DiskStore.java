package dev.tessera.data;

import dev.tessera.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * Prepared images in one file, one record after the other in the order in which they came: a header
 * of 24 bytes (index, width, height, length, checksum), then the samples. The file's name is a
 * digest of everything that its images depend on. A record that a killed run left half written ends
 * the file.
 *
 * <p>Whatever goes wrong with the file costs time and nothing else: the images are decoded again.
 */
final class DiskStore implements PictureStore {
  private static final int MAGIC = 0x54657331; // "Tes1"
  private static final int HEADER = 24;

  /** No picture that is kept for training is larger. */
  private static final int MAX_LENGTH = 1 << 28;

  private final FileChannel channel;
  private final FileLock lock;
  private final long most;

  /** Where each image's record is, plus one; 0 where there is none. */
  private final AtomicLongArray places;

  // Guarded by this.
  private long end;
  private boolean broken;

  private DiskStore(FileChannel channel, FileLock lock, int count, long most) {
    this.channel = channel;
    this.lock = lock;
    this.most = most;
    this.places = new AtomicLongArray(count);
  }

  /**
   * The store in {@code folder} for {@code count} images.
   *
   * @param key digest of the images and of what is done to them
   * @return null if the file cannot be used, as when another process does
   */
  static @Nullable DiskStore open(Path folder, String key, int count, long most) {
    try {
      Files.createDirectories(folder);
      FileChannel channel =
          FileChannel.open(
              folder.resolve(key + ".images"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      FileLock lock = null;
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) {
        // This process has it open already.
      }
      if (lock == null) {
        channel.close();
        return null;
      }
      DiskStore store = new DiskStore(channel, lock, count, most);
      store.index();
      return store;
    } catch (IOException e) {
      return null;
    }
  }

  /** Finds the records that there are. */
  private void index() throws IOException {
    long size = channel.size();
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    while (end + HEADER <= size && read(header, end)) {
      int index = header.getInt(4);
      int length = header.getInt(16);
      if (header.getInt(0) != MAGIC
          || index < 0
          || index >= places.length()
          || length < 1
          || length > MAX_LENGTH
          || end + HEADER + length > size) {
        break;
      }
      places.set(index, end + 1);
      end += HEADER + length;
    }
    channel.truncate(end);
  }

  private boolean read(ByteBuffer buffer, long from) throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        return false;
      }
    }
    buffer.flip();
    return true;
  }

  @Override
  public @Nullable RgbImage get(int index) {
    long place = places.get(index) - 1;
    if (place < 0) {
      return null;
    }
    try {
      ByteBuffer header = ByteBuffer.allocate(HEADER);
      if (read(header, place)) {
        ByteBuffer samples = ByteBuffer.allocate(header.getInt(16));
        if (read(samples, place + HEADER)
            && checksum(header.array(), samples.array()) == header.getInt(20)) {
          return new ImageSource.Samples(header.getInt(8), header.getInt(12), samples.array())
              .image();
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      // Decoded again, and kept again.
    }
    places.set(index, 0);
    return null;
  }

  @Override
  public synchronized void put(int index, RgbImage image) {
    ImageSource.Samples samples = ImageSource.Samples.of(image);
    int length = samples.samples().length;
    if (broken || length > MAX_LENGTH || end + HEADER + length > most) {
      return;
    }
    ByteBuffer record = ByteBuffer.allocate(HEADER + length);
    record.putInt(MAGIC).putInt(index).putInt(image.width()).putInt(image.height());
    record.putInt(length);
    record.putInt(checksum(record.array(), samples.samples())).put(samples.samples()).flip();
    try {
      while (record.hasRemaining()) {
        channel.write(record, end + record.position());
      }
      places.set(index, end + 1);
      end += HEADER + length;
    } catch (IOException e) {
      broken = true; // the disk is full, perhaps
    }
  }

  /** Over the header up to the checksum, and the samples. */
  private static int checksum(byte[] header, byte[] samples) {
    CRC32 crc = new CRC32();
    crc.update(header, 0, HEADER - 4);
    crc.update(samples);
    return (int) crc.getValue();
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException e) {
      // What was written is checked when it is read.
    }
  }
}
