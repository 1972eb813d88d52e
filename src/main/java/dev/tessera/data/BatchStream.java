package dev.tessera.data;

import dev.tessera.image.Preprocessor;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batches one after the other, made ahead by threads of the stream.
 *
 * <p>There is a fixed number of batches, which are used in turn: memory is bounded, and whoever is
 * ahead waits. One thread takes batches and closes each; the stream is closed when it is done.
 */
public final class BatchStream implements AutoCloseable {
  /** Rows that a thread takes at once, so that small images do not cost more than their locks. */
  private static final int CHUNK = 8;

  private record Work(Batch batch, int[] order, int from, int to) {}

  private final Batches batches;
  private final Arena arena = Arena.ofShared();
  private final List<Thread> threads = new ArrayList<>();
  private final int buffers;

  // Guarded by this.
  private final ArrayDeque<Batch> free = new ArrayDeque<>();
  private final ArrayDeque<Batch> ordered = new ArrayDeque<>();
  private @Nullable Batch filling;
  private int[] order = {};
  private long orderEpoch = -1;
  private long epoch;
  private int index;
  private long left;
  private boolean closed;
  private @Nullable Throwable failure;

  BatchStream(Batches batches, long epoch, int index, long count) {
    this.batches = batches;
    this.epoch = epoch;
    this.index = index;
    this.left = count;
    Batches.Settings settings = batches.settings();
    Preprocessor preprocessor = batches.preprocessor();
    buffers = settings.prefetch() + 1;
    for (int i = 0; i < buffers; i++) {
      free.add(
          new Batch(
              this,
              arena,
              settings.batchSize(),
              preprocessor.channels(),
              preprocessor.height(),
              preprocessor.width(),
              batches.images().classes().size()));
    }
    int workers =
        settings.threads() > 0 ? settings.threads() : Runtime.getRuntime().availableProcessors();
    for (int i = 0; i < workers; i++) {
      threads.add(Thread.ofPlatform().daemon().name("tessera-data-" + i).unstarted(this::work));
    }
    threads.forEach(Thread::start);
  }

  /**
   * The next batch; waits until it is made.
   *
   * @return null after the last one
   * @throws IllegalStateException if every buffer is with the caller, the stream is closed, or the
   *     images cannot be read at all
   */
  public synchronized @Nullable Batch next() throws InterruptedException {
    while (true) {
      Throwable thrown = failure;
      if (thrown != null) {
        throw new IllegalStateException(
            thrown instanceof OutOfMemoryError
                ? "an image is too large for the memory there is; give more with"
                    + " TESSERA_JAVA_OPTS=-Xmx..."
                : String.valueOf(thrown.getMessage()),
            thrown);
      }
      if (closed) {
        throw new IllegalStateException("the stream of batches is closed");
      }
      Batch first = ordered.peek();
      if (first == null && left == 0) {
        return null;
      }
      if (first == null && free.isEmpty()) {
        throw new IllegalStateException("close batches before taking more of them");
      }
      if (first != null && first.complete) {
        ordered.remove();
        first.handedOut = true;
        return first;
      }
      wait();
    }
  }

  synchronized void release(Batch batch) {
    if (batch.handedOut) {
      batch.handedOut = false;
      free.add(batch);
      notifyAll();
    }
  }

  private void work() {
    float[] values = new float[batches.preprocessor().size()];
    try {
      for (Work work = claim(); work != null; work = claim()) {
        for (int row = work.from; row < work.to; row++) {
          batches.fill(work.batch, row, work.order, values);
        }
        if (done(work)) {
          batches.finish(work.batch);
          complete(work.batch);
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    } catch (Throwable e) {
      fail(e);
    }
  }

  /** The next rows to fill, or null when there are none. */
  private synchronized @Nullable Work claim() throws InterruptedException {
    while (filling == null) {
      if (closed || left == 0 || failure != null) {
        return null;
      }
      Batch batch = free.poll();
      if (batch == null) {
        wait();
        continue;
      }
      if (orderEpoch != epoch) {
        order = batches.order(epoch);
        orderEpoch = epoch;
      }
      batch.begin(epoch, index, batches.rows(index));
      ordered.add(batch);
      filling = batch;
      left--;
      index++;
      if (index == batches.perEpoch()) {
        index = 0;
        epoch++;
      }
    }
    Batch batch = filling;
    int from = batch.claimed;
    int to = Math.min(from + CHUNK, batch.size());
    batch.claimed = to;
    Work work = new Work(batch, order, from, to);
    if (to == batch.size()) {
      filling = null;
    }
    return work;
  }

  /** Whether these were the last rows of their batch. */
  private synchronized boolean done(Work work) {
    work.batch.unfilled -= work.to - work.from;
    return work.batch.unfilled == 0;
  }

  private synchronized void complete(Batch batch) {
    batch.complete = true;
    notifyAll();
  }

  private synchronized void fail(Throwable e) {
    if (failure == null && !closed) {
      failure = e;
    }
    notifyAll();
  }

  /** Stops the threads and frees the buffers of all batches. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      notifyAll();
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    arena.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
