package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RgbImage;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * From files to results, overlapping: decoder threads fill batches, one thread computes, and the
 * caller takes the results in the order of the files.
 *
 * <p>Memory does not grow with the number of files: there are {@value #BATCHES} batches, used in
 * turn, and whoever is ahead waits. A file that cannot be read becomes a result as well.
 *
 * @param <I> what is read, such as {@link ImageFile}
 */
final class Pipeline<I extends Pipeline.Input> {
  /** A picture that may turn out not to be one. */
  interface Input {
    /** What messages call it. */
    String name();

    /** Why it cannot even be tried; mostly null. */
    @Nullable String problem();

    /**
     * The picture.
     *
     * @throws ImageException if it cannot be read as one
     */
    RgbImage decode(Decoder decoder) throws ImageException;
  }

  /** One being filled, one waiting and one being computed. */
  private static final int BATCHES = 3;

  /** What became of one file: values, or the problem with it. */
  record Outcome<I>(I file, float @Nullable [] values, @Nullable String problem) {}

  /** What is computed. */
  @FunctionalInterface
  interface Computation {
    /**
     * The results of the first {@code count} images.
     *
     * @param pixels {@code [batch, channels, height, width]}, {@code count} at most batch
     * @return one row for each image
     */
    float[][] apply(Tensor pixels, int count);
  }

  /** Where outcomes go. */
  @FunctionalInterface
  interface Sink<I> {
    void accept(Outcome<I> outcome) throws IOException, Failure;
  }

  private record Slot<I>(Batch<I> batch, int index, I file) {}

  private final Iterator<? extends I> files;
  private final Decoder decoder;
  private final Preprocessor preprocessor;
  private final Computation computation;
  private final Runnable preparation;
  private final int batchSize;
  private final int decoders;

  private final BlockingQueue<Batch<I>> free = new ArrayBlockingQueue<>(BATCHES);
  private final BlockingQueue<Batch<I>> ordered = new ArrayBlockingQueue<>(BATCHES + 1);
  private final BlockingQueue<List<Outcome<I>>> results = new ArrayBlockingQueue<>(2);
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final Object memory = new Object();
  private volatile boolean cancelled;

  // Guarded by files' lock, which is this pipeline's.
  private @Nullable Batch<I> filling;
  private boolean ended;

  /**
   * @param files read one at a time, by any thread
   * @param preparation for the computation: done while the first images are decoded
   * @param decoders threads that decode
   */
  Pipeline(
      Iterator<? extends I> files,
      Decoder decoder,
      Preprocessor preprocessor,
      Computation computation,
      Runnable preparation,
      int batchSize,
      int decoders) {
    this.files = files;
    this.decoder = decoder;
    this.preprocessor = preprocessor;
    this.computation = computation;
    this.preparation = preparation;
    this.batchSize = batchSize;
    this.decoders = decoders;
  }

  /**
   * Runs until the last file's outcome has been taken.
   *
   * @return false if it was cancelled before
   */
  boolean run(Sink<I> sink) throws IOException, Failure {
    Arena arena = Arena.ofAuto();
    for (int i = 0; i < BATCHES; i++) {
      free.add(
          new Batch<>(
              arena,
              batchSize,
              preprocessor.channels(),
              preprocessor.height(),
              preprocessor.width()));
    }
    for (int i = 0; i < decoders; i++) {
      start("decode-" + i, this::decode);
    }
    start("compute", this::compute);
    try {
      return drain(sink);
    } finally {
      cancel();
      join();
    }
  }

  /** Stops early: {@link #run} returns soon. */
  void cancel() {
    cancelled = true;
    synchronized (threads) {
      threads.forEach(Thread::interrupt);
    }
  }

  private void start(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (InterruptedException e) {
                // Cancelled.
              } catch (Throwable e) {
                failure.compareAndSet(null, e);
                cancel();
              }
            },
            name);
    thread.setDaemon(true);
    synchronized (threads) {
      threads.add(thread);
    }
    thread.start();
  }

  private interface Work {
    void run() throws InterruptedException;
  }

  private boolean drain(Sink<I> sink) throws IOException, Failure {
    while (true) {
      List<Outcome<I>> outcomes;
      try {
        outcomes = results.poll(50, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
      if (outcomes == null) {
        rethrow();
        if (cancelled) {
          return false;
        }
      } else if (outcomes.isEmpty()) {
        return true;
      } else {
        for (Outcome<I> outcome : outcomes) {
          sink.accept(outcome);
        }
      }
    }
  }

  private void rethrow() throws IOException {
    switch (failure.get()) {
      case null -> {}
      case UncheckedIOException e -> throw e.getCause();
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  /** Waits for the threads, though not for one that waits for a list of files to go on. */
  private void join() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    try {
      for (Thread thread : threads) {
        thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The next file with its place in a batch, or null after the last. */
  private synchronized @Nullable Slot<I> next() throws InterruptedException {
    if (ended || cancelled) {
      return null;
    }
    if (!files.hasNext()) {
      ended = true;
      if (filling != null) {
        filling.close();
        filling = null;
      }
      // Never filled and so empty: the end.
      Batch<I> last = free.take();
      last.clear();
      last.close();
      ordered.put(last);
      return null;
    }
    Batch<I> batch = filling;
    if (batch == null) {
      batch = free.take();
      batch.clear();
      ordered.put(batch);
      filling = batch;
    }
    I file = files.next();
    Slot<I> slot = new Slot<>(batch, batch.add(file), file);
    if (batch.isFull()) {
      batch.close();
      filling = null;
    }
    return slot;
  }

  private void decode() throws InterruptedException {
    float[] values = new float[preprocessor.size()];
    for (Slot<I> slot = next(); slot != null; slot = next()) {
      String problem = slot.file.problem();
      if (problem != null) {
        slot.batch.fail(slot.index, slot.file.name() + " " + problem);
        continue;
      }
      try {
        preprocessor.apply(slot.file.decode(decoder), values, 0);
        slot.batch.fill(slot.index, values);
      } catch (ImageException e) {
        slot.batch.fail(slot.index, message(e));
      } catch (IllegalArgumentException e) {
        slot.batch.fail(slot.index, slot.file.name() + ": " + message(e));
      } catch (OutOfMemoryError e) {
        decodeAlone(slot, values);
      }
    }
  }

  /** A picture that did not fit beside others may fit when it is the only one of that kind. */
  private void decodeAlone(Slot<I> slot, float[] values) {
    synchronized (memory) {
      try {
        preprocessor.apply(slot.file.decode(decoder), values, 0);
        slot.batch.fill(slot.index, values);
      } catch (ImageException | IllegalArgumentException e) {
        slot.batch.fail(slot.index, message(e));
      } catch (OutOfMemoryError e) {
        slot.batch.fail(
            slot.index,
            slot.file.name()
                + " is too large for the memory there is; give more with TESSERA_JAVA_OPTS=-Xmx...");
      }
    }
  }

  private static String message(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private void compute() throws InterruptedException {
    preparation.run();
    while (true) {
      Batch<I> batch = ordered.take();
      batch.await();
      if (batch.files().isEmpty()) {
        results.put(List.of());
        return;
      }
      int good = batch.compact();
      float[][] values = good == 0 ? new float[0][] : computation.apply(batch.pixels(), good);
      List<Outcome<I>> outcomes = new ArrayList<>(batch.files().size());
      int row = 0;
      for (int slot = 0; slot < batch.files().size(); slot++) {
        String problem = batch.problem(slot);
        outcomes.add(
            new Outcome<>(
                batch.files().get(slot), problem == null ? values[row++] : null, problem));
      }
      free.put(batch);
      results.put(outcomes);
    }
  }
}
