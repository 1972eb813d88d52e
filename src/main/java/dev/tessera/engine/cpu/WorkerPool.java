package dev.tessera.engine.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
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
 *
 * <p>Each worker begins with a share of its own, the same part of every region, and helps the
 * others when that is done: most regions go over the rows of a batch, and those that a worker wrote
 * in one are in its cache when the next reads them.
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

  /** Numbers of a cache line: two workers' shares lie on two. */
  private static final int LINE = 64 / Long.BYTES;

  /**
   * For each worker the region's number in the high half, the tasks of its share that nobody has
   * taken yet in the low half. One word, so that a worker that comes late can't take a task of the
   * next region for one of this.
   */
  private final AtomicLongArray shares;

  private final AtomicInteger unfinished = new AtomicInteger();
  private final AtomicInteger parked = new AtomicInteger();
  private final Thread[] workers;
  private volatile boolean underWay;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;
  private volatile @Nullable Task work;
  private volatile int tasks;

  /** Number of the latest region: set when all of it is there to be taken. */
  private volatile long region;

  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    shares = new AtomicLongArray((threads + 1) * LINE);
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
    tasks = count;
    unfinished.set(count);
    long next = region + 1;
    for (int share = 0; share < size(); share++) {
      shares.set(slot(share), next << 32 | (first(share + 1, count) - first(share, count)));
    }
    region = next;
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

  private static int slot(int share) {
    return (share + 1) * LINE; // the line before the first is shared with the array's length
  }

  /** The first task of a share. */
  private int first(int share, int count) {
    return (int) ((long) count * share / size());
  }

  private void serve(int worker) {
    long served = 0;
    int spins = 0;
    while (!closed) {
      long latest = region;
      if (latest != served) {
        drain(worker);
        served = latest;
        spins = 0;
      } else if (spins < SPINS || underWay) {
        pause(spins);
        spins = Math.min(spins + 1, SPINS);
      } else {
        parked.incrementAndGet();
        if (region == served && !underWay && !closed) {
          LockSupport.park(this);
        }
        parked.decrementAndGet();
      }
    }
  }

  /** Does what is left of the worker's own share, then of the others'. */
  private void drain(int worker) {
    for (int i = 0; i < size(); i++) {
      drain(worker, (worker + i) % size());
    }
  }

  private void drain(int worker, int share) {
    while (true) {
      long state = shares.get(slot(share));
      Task task = work;
      int first = first(share, tasks);
      int remaining = (int) (state & REMAINING);
      if (remaining == 0 || task == null) {
        return;
      }
      if (shares.compareAndSet(slot(share), state, state - 1)) {
        try {
          task.run(worker, first + remaining - 1);
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
