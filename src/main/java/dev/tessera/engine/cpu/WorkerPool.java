package dev.tessera.engine.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads that share the tasks of one parallel region after another.
 *
 * <p>A forward pass is a few hundred regions of well under a millisecond, so workers spin a little
 * for the next one before they park: waking a parked thread costs as much as a small region. The
 * calling thread is worker 0 and takes tasks like the others.
 */
final class WorkerPool implements AutoCloseable {
  /** One region's work; called once for each task number, from any worker. */
  interface Task {
    void run(int worker, int task);
  }

  /** About 50 µs: longer than the gap between two regions, too short to hurt another program. */
  private static final int SPINS = 2_000;

  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private final Thread[] workers;
  private volatile int generation;
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;
  private @Nullable Task task;
  private int tasks;
  private int regions;

  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int worker = i + 1;
      workers[i] =
          Thread.ofPlatform().daemon().name("tessera-cpu-" + worker).start(() -> serve(worker));
    }
  }

  /** Workers, the calling thread included. */
  int size() {
    return workers.length + 1;
  }

  /** Runs tasks 0 to {@code count - 1} and returns when all are done. */
  void run(int count, Task work) {
    if (workers.length == 0 || count == 1) {
      for (int i = 0; i < count; i++) {
        work.run(0, i);
      }
      return;
    }
    task = work;
    tasks = count;
    next.set(0);
    running.set(workers.length);
    generation = ++regions;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
    drain(0, work, count);
    while (running.get() != 0) {
      Thread.onSpinWait();
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw new IllegalStateException("a worker failed: " + thrown, thrown);
    }
  }

  private void serve(int worker) {
    int seen = 0;
    while (true) {
      int spins = 0;
      while (generation == seen && !closed) {
        if (spins++ < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      seen = generation;
      Task work = task;
      if (work != null) {
        drain(worker, work, tasks);
      }
      running.decrementAndGet();
    }
  }

  private void drain(int worker, Task work, int count) {
    try {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        work.run(worker, i);
      }
    } catch (Throwable thrown) {
      failure = thrown;
      next.set(count);
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
  }
}
