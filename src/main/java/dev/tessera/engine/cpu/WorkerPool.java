package dev.tessera.engine.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads that share the tasks of one parallel region after another.
 *
 * <p>A forward pass is a few hundred regions of well under a millisecond, with work for one thread
 * between them. So workers spin a little for the next region, and then keep asking for it between
 * {@link #begin} and {@link #end}, giving way to whoever needs the core: waking a parked thread
 * costs as much as a small region. The calling thread is worker 0; it takes tasks like the others
 * and waits for tasks that others took, never for a worker that has yet to wake up.
 */
final class WorkerPool implements AutoCloseable {
  /** One region's work; called once for each task number, from any worker. */
  interface Task {
    void run(int worker, int task);
  }

  /** About 50 µs: longer than the gap between two regions, too short to hurt another program. */
  private static final int SPINS = 2_000;

  private static final long WORTH_SHARING = 20_000;
  private static final long REMAINING = 0xffff_ffffL;

  /**
   * The region's number in the high half, the tasks that nobody has taken yet in the low half. One
   * word, so that a worker that comes late can't take a task of the next region for one of this.
   */
  private final AtomicLong region = new AtomicLong();

  private final AtomicInteger unfinished = new AtomicInteger();
  private final AtomicInteger parked = new AtomicInteger();
  private final Thread[] workers;
  private volatile boolean underWay;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;
  private volatile @Nullable Task work;

  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int worker = i + 1;
      workers[i] =
          Thread.ofPlatform().daemon().name("tessera-cpu-" + worker).start(() -> serve(worker));
    }
  }

  /** One of something for each worker, such as room to compute in. */
  <T> T[] perWorker(Supplier<T> supplier, IntFunction<T[]> array) {
    T[] made = array.apply(size());
    for (int worker = 0; worker < made.length; worker++) {
      made[worker] = supplier.get();
    }
    return made;
  }

  /** Workers, the calling thread included. */
  int size() {
    return workers.length + 1;
  }

  /**
   * Runs tasks 0 to {@code count - 1} and returns when all are done. One caller at a time.
   *
   * @param nanoseconds what all tasks together roughly take one thread; where that is less than
   *     waking another thread costs, the calling thread does them alone
   */
  void run(int count, long nanoseconds, Task task) {
    if (workers.length == 0 || count <= 1 || nanoseconds < WORTH_SHARING) {
      for (int i = 0; i < count; i++) {
        task.run(0, i);
      }
      return;
    }
    work = task;
    unfinished.set(count);
    region.set(((region.get() >>> 32) + 1) << 32 | count);
    wake();
    drain(0);
    for (int spins = 0; unfinished.get() != 0; spins++) {
      pause(spins);
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw new IllegalStateException("a worker failed: " + thrown, thrown);
    }
  }

  /** Announces regions: workers stay awake until {@link #end}. */
  void begin() {
    underWay = true;
    wake();
  }

  /** After the last of the regions that {@link #begin} announced. */
  void end() {
    underWay = false;
  }

  private void wake() {
    if (parked.get() > 0) {
      for (Thread worker : workers) {
        LockSupport.unpark(worker);
      }
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // who lost its core may need this one
  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  private void serve(int worker) {
    int spins = 0;
    while (!closed) {
      if ((region.get() & REMAINING) != 0) {
        drain(worker);
        spins = 0;
      } else if (spins < SPINS || underWay) {
        pause(spins);
        spins = Math.min(spins + 1, SPINS);
      } else {
        parked.incrementAndGet();
        if ((region.get() & REMAINING) == 0 && !underWay && !closed) {
          LockSupport.park(this);
        }
        parked.decrementAndGet();
      }
    }
  }

  private void drain(int worker) {
    while (true) {
      long state = region.get();
      Task task = work;
      int remaining = (int) (state & REMAINING);
      if (remaining == 0 || task == null) {
        return;
      }
      if (region.compareAndSet(state, state - 1)) {
        try {
          task.run(worker, remaining - 1);
        } catch (Throwable thrown) {
          failure = thrown;
        } finally {
          unfinished.decrementAndGet();
        }
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    wake();
  }
}
